"""What the business means: pure functions that both layers share. No I/O, no clock."""

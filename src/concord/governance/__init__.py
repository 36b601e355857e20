"""Who did what to the data, and what the warehouse costs."""

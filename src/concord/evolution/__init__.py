"""A schema that changes: what an ALTER TABLE would do at every hop, and how a changed contract reaches the stores."""

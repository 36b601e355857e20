"""Files go into the lake: bytes to the object store, what is known of them into a table."""

"""The way of one row through every store: where it is, since when, and where it is not yet."""

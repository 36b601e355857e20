"""Holds the data of each layer to the declared rules, at the position of a published batch."""

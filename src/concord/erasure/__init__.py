"""A person's data erased from every store, and the proof of it.

Rows stay where they are, with their positions, keys and amounts; what is classified as personal in the contracts is
overwritten, by the same values in every store. So rows are conserved, both layers go on agreeing, and the books keep
their orders without the person.
"""

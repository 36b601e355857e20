"""Dead letters seen, repaired and sent again: each at most once, whatever breaks in between."""

"""Sessions of the clickstream, micro-batch by micro-batch, from what is at rest (see ``rules.sessions``)."""

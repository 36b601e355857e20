"""One module per engine: how this machine runs it."""

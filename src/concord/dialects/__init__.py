"""Contract → engine: how each engine spells the declared types, tables and documents. No I/O here."""

"""Parts of the import of the standard: reading the source, the hand-kept tables, converting, writing."""

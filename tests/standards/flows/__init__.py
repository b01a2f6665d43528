"""Tasks that must be answered."""

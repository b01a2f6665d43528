"""The Excel answer."""

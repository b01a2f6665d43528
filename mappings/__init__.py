"""The meaning: what one system's words are in the standard."""

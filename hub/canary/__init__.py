"""Canaries: marked test records that show whether the ways to the next level and back are open; never data."""

"""The sight: it only looks."""

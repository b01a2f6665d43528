"""The sight: metrics and what is shown."""

"""The motion: when, where to, how often, in what order, and what happened."""

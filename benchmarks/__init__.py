"""Measurements kept as programs: every claim of speed is a ratio of two ways, measured in one run."""

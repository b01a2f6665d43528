"""Hubs of several levels."""

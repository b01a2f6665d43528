"""Drafting mappings."""

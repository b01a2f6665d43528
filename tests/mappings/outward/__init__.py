"""Outward forms: records in a receiver's own words."""

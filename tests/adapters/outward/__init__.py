"""Destinations that speak a receiver's own words."""

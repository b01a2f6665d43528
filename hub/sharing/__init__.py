"""Sharing (Datong rules, articles 20 to 22): grants with purpose, end and consent; every look is written down."""

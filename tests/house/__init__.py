"""Tests of the house itself: its doors, layers, texts and image."""

"""The words: what is true without a network and the same everywhere."""

"""Real, openly available files on the road: which, what is expected of them beforehand, and what became of them."""

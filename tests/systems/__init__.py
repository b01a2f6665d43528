"""The named systems: each feed on its way, each fault and what remains of it."""

"""Counterparts to try a hub against: each named system, made from its definition, with switches for faults."""

from adapters.simulators.faults import Dice, Faults

__all__ = ["Dice", "Faults"]

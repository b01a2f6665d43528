"""Sample records of any data set, made from its definition: valid ones, and hostile ones with one known fault each."""

from standards.samples.hostile import Hostile, hostile_records
from standards.samples.valid import Samples, valid_records

__all__ = ["Hostile", "Samples", "hostile_records", "valid_records"]

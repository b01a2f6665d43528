"""What every adapter must keep to, as tests to inherit; for the tests of adapters here and elsewhere.

    destination.py   DestinationConformance: stored once, refused by element, down and lost told apart
    source.py        SourceConformance: committed before it forgets, repeats that make nothing new
    fakes.py         the hub as a source sees it, in memory
    parcels.py       parcels of valid records, and what adapters are told about the hub
    report.py        for `hub adapter test`: which suites ran on what, as a pytest plugin

Only tests import this package: it needs pytest, which a hub in service does not have.
"""

import pytest

pytest.register_assert_rewrite("adapters.conformance.destination", "adapters.conformance.source")

from adapters.conformance.destination import DestinationConformance, Stored, refused, settle  # noqa: E402
from adapters.conformance.destination import Rig as DestinationRig  # noqa: E402
from adapters.conformance.fakes import Hub  # noqa: E402
from adapters.conformance.parcels import around  # noqa: E402
from adapters.conformance.source import Rig as SourceRig  # noqa: E402
from adapters.conformance.source import SourceConformance  # noqa: E402

__all__ = [
    "DestinationConformance",
    "DestinationRig",
    "Hub",
    "SourceConformance",
    "SourceRig",
    "Stored",
    "around",
    "refused",
    "settle",
]

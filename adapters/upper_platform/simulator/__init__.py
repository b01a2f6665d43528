"""A simulated centre of the level above: stores, judge, gateway, HTTP service, and a switch for every trouble."""

from __future__ import annotations

from adapters.upper_platform.simulator.centre import Centre
from adapters.upper_platform.simulator.faults import Faults
from adapters.upper_platform.simulator.gateway import Gateway
from adapters.upper_platform.simulator.reports import Count, StoredRevision
from adapters.upper_platform.simulator.service import Service
from adapters.upper_platform.simulator.stores import Organisation

__all__ = ["Centre", "Count", "Faults", "Gateway", "Organisation", "Service", "StoredRevision"]

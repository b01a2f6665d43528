"""A simulated centre of the level above: stores, judge, gateway, HTTP service, and a switch for every trouble.

In this process, for tests and the demo:

    from adapters.upper_platform import simulator

    centre = simulator.start(datasets=["punish_action"])      # its own SQLite file, a free port
    centre.settings("http")       # settings of a destination with adapter = "upper_platform", as in hub.toml
    centre.settings("table")      # the same by its front-end tables
    centre.switch(wrong=0.1)      # refuse a tenth; slow, failing, wrong, duplicate, out_of_order, lost_answer, closed
    centre.counts()               # front, standard, right, wrong for each organisation and data set
    centre.stored()               # every (data set, cd_id, revision) once
    centre.arrivals()             # every arrival, repeats too
    centre.stop()

As a process of its own: `python -m adapters.upper_platform.simulator --help`.  Its HTTP service tells the same under
/sim/… (see `service.py`).
"""

from __future__ import annotations

from adapters.simulators.faults import Faults
from adapters.simulators.gateway import Gateway
from adapters.upper_platform.simulator.centre import Centre
from adapters.upper_platform.simulator.reports import Count, StoredRevision
from adapters.upper_platform.simulator.running import Running, start
from adapters.upper_platform.simulator.service import Service
from adapters.upper_platform.simulator.stores import Organisation

__all__ = [
    "Centre",
    "Count",
    "Faults",
    "Gateway",
    "Organisation",
    "Running",
    "Service",
    "StoredRevision",
    "start",
]

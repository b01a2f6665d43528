"""What stands above the demo city: a hub of the province with its own neighbours, and the simulated nation above it."""

from __future__ import annotations

import json
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection

from adapters.upper_platform import simulator
from adapters.upper_platform.simulator import Organisation
from adapters.upper_platform.simulator import Running as Centre
from demo.neighbours import Neighbours
from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.serve import Running
from standards.model import Direction
from standards.registry import built_in

#: The city as the province knows it.
CITY_CODE = "11140200E9QM7HGU4X"

_SETTINGS = """# The demo province: the city's hub below, the nation above.

[hub]
name = "shanxi"
title = "山西省监管数据交换枢纽（演示）"
level = "province"
region = "140000"
code = "11140000N8Y3CP4F3H"
state = "state"

[api]
port = 0

[parties.datong]
title = "大同市监管数据交换枢纽"
code = "{city}"
kind = "hub"
level = "city"

[connections.datong]
party = "datong"
title = "大同市枢纽上报"
adapter = "hub"

[parties.nation]
title = "国家“互联网+监管”系统（模拟）"
code = "11100000F8T3K98E3F"
kind = "platform"
level = "nation"

[destinations.nation]
party = "nation"
title = "国家“互联网+监管”系统"
adapter = "upper_platform"

[destinations.nation.settings]
mode = "http"
level = "nation"
speaker = "国家“互联网+监管”系统"
datasets = {datasets}
http = {{ url = "{nation}/parcels", receipts_url = "{nation}/parcels/receipts" }}

# What the nation handed down is not sent back to it.
[[routes]]
datasets = {datasets}
parties = ["datong", "province-collection"]
to = ["nation"]

"""


#: What the city's hub.toml says besides: up to the province goes what the named systems bring.
_BELOW = """
# --- The province's own hub: what the named systems bring goes up through it, to the nation

[parties.province]
title = "山西省监管数据交换枢纽"
code = "11140000N8Y3CP4F3H"
kind = "hub"
level = "province"

[destinations.province]
party = "province"
title = "省级枢纽"
adapter = "hub"

[destinations.province.settings]
url = {province}
key = {key}

[[routes]]
datasets = {datasets}
parties = {parties}
to = ["province"]

"""


@dataclass(slots=True)
class Upper:
    """The running province."""

    hub: Running
    nation: Centre
    neighbours: Neighbours
    #: The city's key at the province.
    key: str
    #: Data sets that go up to the nation.
    datasets: list[str]
    _stack: ExitStack = field(repr=False)

    @property
    def address(self) -> str:
        """Where the province's hub answers."""
        return self.hub.address

    def stop(self) -> None:
        """End all of it."""
        self._stack.close()


def settings_below(upper: Upper, neighbours: Neighbours, key: Path) -> str:
    """What the city's hub.toml says of the province and of its own neighbours; the city's key lies in a file."""
    reported_there = [name for name in upper.datasets if name in neighbours.sent()]
    text = _BELOW.format(
        province=json.dumps(upper.address),
        key=json.dumps(f"file:{key}", ensure_ascii=False),
        datasets=json.dumps(reported_there),
        parties=json.dumps(neighbours.parties),
    )
    return text + neighbours.settings(only_theirs=True)


def reported() -> list[str]:
    """Data sets that the standard sends upwards."""
    return [dataset.id for dataset in built_in() if Direction.UP in dataset.directions]


def start(root: Path) -> Upper:
    """Start province and nation in a folder.  Raises BadConfiguration."""
    with ExitStack() as stack:
        datasets = reported()
        nation = simulator.start(
            organisations=[Organisation("shanxi")],
            datasets=datasets,
            level="nation",
            name="国家“互联网+监管”系统（模拟）",
            every=0.2,
        )
        stack.callback(nation.stop)
        neighbours = Neighbours("province", root / "systems").start()
        stack.callback(neighbours.stop)
        text = _SETTINGS.format(city=CITY_CODE, datasets=json.dumps(datasets), nation=nation.url)
        root.mkdir(parents=True, exist_ok=True)
        path = root / "hub.toml"
        path.write_text(text + neighbours.settings(), "utf-8")
        hub = serve.start(*prepare(path))
        stack.callback(hub.stop)
        keys = keys_of(hub)
        neighbours.attach(hub.address, keys)
        return Upper(hub, nation, neighbours, keys["datong"], datasets, stack.pop_all())


def keys_of(running: Running) -> dict[str, str]:
    """A new key for each party."""
    hub = running.hub
    now = hub.clock.now()

    def make(connection: Connection) -> dict[str, str]:
        return {party: credentials.make(connection, party, now, note="演示 demo")[1] for party in hub.settings.parties}

    return hub.ledger.write(make)

"""A province and a city hub with one department, for journeys: down from the nation, up again with the answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from adapters.simulators.counterpart import Counterpart
from adapters.systems.recipe import name_of, party_of, recipe
from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from hub.serve import Running
from tests.hub.levels.chain import free_port
from tests.receiver import Receiver

Json = dict[str, Any]

MARKET = "111402001D22DR363Y"

COMMON = """
republish = 1.0

[hub]
name = "{name}"
title = "{title}"
level = "{name}"
region = "{region}"
code = "{code}"

[ledger]
url = "{ledger}"

[broker]
url = "{broker}"

[api]
port = {port}

[workers]
lease = "10s"
"""

PROVINCE = (
    COMMON
    + """
[parties.nation]
title = "国家互联网+监管系统"
code = "11100000F8T3K98E3F"
kind = "platform"
level = "nation"

[parties.city]
title = "大同市枢纽"
code = "11140200E9QM7HGU4X"
kind = "hub"
level = "city"

[connections.from-nation]
party = "nation"
dataset = "{dataset}"
tasks = true

[connections.from-city]
party = "city"
adapter = "hub"

[destinations.nation]
party = "nation"
adapter = "rest_push"
tasks = true
settings = {{ url = "{receiver}", quick_tries = 1, level = "nation" }}

[destinations.nation.retry]
waits = ["0.2s"]

[destinations.city]
party = "city"
adapter = "hub"
direction = "down"
tasks = true
settings = {{ url = "http://127.0.0.1:{other}", quick_tries = 1, key = "file:{keys}/province" }}

[destinations.city.retry]
waits = ["0.2s"]

[[duties]]
party = "city"
"""
)

CITY = (
    COMMON
    + """
[parties.province]
title = "省枢纽"
code = "11140000N8Y3CP4F3H"
kind = "hub"
level = "province"

[parties.market]
title = "大同市市场监督管理局"
code = "111402001D22DR363Y"

[connections.from-province]
party = "province"
adapter = "hub"
tasks = true

[connections.market-answers]
party = "market"
dataset = "{answers}"
{channel}

[destinations.province]
party = "province"
adapter = "hub"
tasks = true
settings = {{ url = "http://127.0.0.1:{other}", quick_tries = 1, key = "file:{keys}/city" }}

[destinations.province.retry]
waits = ["0.2s"]

{way}
[[duties]]
party = "market"
"""
)


@dataclass
class Levels:
    """Both hubs and the nation's receiver."""

    receiver: Receiver
    province: Running
    city: Running
    _clients: dict[tuple[str, str], httpx2.Client] = field(default_factory=dict)

    def client(self, level: str, party: str) -> httpx2.Client:
        """Somebody at the door of a hub; party '' is its operator."""
        running = self.province if level == "province" else self.city
        if (level, party) not in self._clients:
            key = running.hub.ledger.write(lambda c: credentials.make(c, party, running.hub.clock.now(), by="test"))[1]
            self._clients[level, party] = httpx2.Client(
                base_url=running.address, headers={"authorization": f"Bearer {key}"}, timeout=60
            )
        return self._clients[level, party]

    def hand_down(self, row: Json) -> None:
        """The nation hands a record down to the province."""
        said = self.client("province", "nation").post(
            "/v1/submissions?connection=from-nation&wait=20&name=down.json", json=[row]
        )
        assert said.json()["counts"]["accepted"] == 1, said.text[:3000]

    def task(self, level: str, party: str = "") -> Json:
        """The one task of a level, with its steps; waits for it."""
        found: list[Json] = []
        for _ in range(600):
            found = self.client(level, party).get("/v1/tasks", params={"ended": True}).json()
            if found:
                break
            time.sleep(0.05)
        (one,) = found
        whole: Json = self.client(level, party).get(f"/v1/tasks/{one['id']}").json()
        return whole

    def at(self, level: str, state: str, seconds: float = 30) -> Json:
        """The task of a level once it stands in a state."""
        deadline = time.monotonic() + seconds
        while (one := self.task(level))["state"] != state:
            assert time.monotonic() < deadline, (state, one["state"], [s["step"] for s in one["steps"]])
            time.sleep(0.05)
        return one

    def stored(self, **wanted: str) -> list[Json]:
        """What the nation's receiver holds of these values."""
        rows = self.receiver.contents.values()
        return [r for r in rows if all(r.get(name) == value for name, value in wanted.items())]


@contextmanager
def levels(
    folder: Path,
    receiver: Receiver,
    dataset: str,
    answers: str,
    *,
    channel: str = "",
    way: str = "",
    broker: str = "",
    nation: Counterpart | None = None,
) -> Iterator[Levels]:
    """Start both; `channel`: further settings of the department's connection, `way`: further text of the city.

    `nation`: the simulated national system that hands down, in place of a caller of the province's door.
    """
    ports = {"province": free_port(), "city": free_port()}
    keys = folder / "keys"
    keys.mkdir(parents=True)
    places = {
        "province": (_province(nation), "140000", "11140000N8Y3CP4F3H", "省枢纽", "city"),
        "city": (CITY, "140200", "11140200E9QM7HGU4X", "市枢纽", "province"),
    }
    for name in places:
        (keys / name).write_text("made below", "ascii")
    running: dict[str, Running] = {}
    try:
        for name, (text, region, code, title, other) in places.items():
            place = folder / name
            place.mkdir()
            path = place / "hub.toml"
            values = {
                "name": name,
                "title": title,
                "region": region,
                "code": code,
                "ledger": "",
                "broker": broker if name == "city" else "",
                "port": ports[name],
                "other": ports[other],
                "keys": keys,
                "receiver": receiver.url,
                "dataset": dataset,
                "answers": answers,
                "channel": channel,
                "way": way,
            }
            path.write_text(text.format(**values), "utf-8")
            running[name] = serve.start(*prepare(path))
            hub = running[name].hub
            key = hub.ledger.write(lambda c, other=other, hub=hub: credentials.make(c, other, hub.clock.now(), by="t"))[
                1
            ]
            (keys / other).write_text(key, "ascii")
        if nation is not None:
            hub = running["province"].hub
            key = hub.ledger.write(lambda c: credentials.make(c, party_of(nation.system), hub.clock.now(), by="t"))[1]
            nation.attach(running["province"].address, key)
        yield Levels(receiver, running["province"], running["city"])
    finally:
        for one in running.values():
            one.stop()


def _province(nation: Counterpart | None) -> str:
    """The province's settings, with the simulated nation as the party that hands down and is answered."""
    if nation is None:
        return PROVINCE
    text = recipe(nation.system, {**nation.words(), "code": "11100000F8T3K98E3F"})
    text = text.replace("{", "{{").replace("}", "}}")
    for name, feed in nation.system.feeds.items():
        if feed.datasets[0] in ("joint_task", "risk_clue", "complaint_report"):
            head = f"[connections.{name_of(nation.system, name)}]\n"
            text = text.replace(head, f"{head}tasks = true\n")
    begin, end = PROVINCE.index("[parties.nation]"), PROVINCE.index("[parties.city]")
    made = PROVINCE[:begin] + PROVINCE[end:]
    begin, end = made.index("[connections.from-nation]"), made.index("[connections.from-city]")
    made = made[:begin] + made[end:]
    return made.replace('party = "nation"', f'party = "{party_of(nation.system)}"') + "\n" + text

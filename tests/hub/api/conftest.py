"""A served city: a hub on SQLite behind a real port, in this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from hub import serve
from hub.bootstrap import prepare
from hub.serve import Running
from tests.hub.city import config
from tests.receiver import Receiver


@dataclass
class Door:
    """The hub's API as its callers see it."""

    running: Running
    receiver: Receiver
    operator: httpx2.Client
    ecology: httpx2.Client
    market: httpx2.Client

    def key(self, party: str) -> str:
        return self.operator.post("/v1/keys", json={"party": party, "note": "test"}).json()["key"]


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    """One hub for a module; its tests use keys and ids of their own."""
    folder: Path = tmp_path_factory.mktemp("door")
    receiver = Receiver().start()
    path = folder / "hub.toml"
    path.write_text(config(receiver.url).replace("port = 0", "port = 0\nmax_body_mb = 5"), "utf-8")
    running = serve.start(*prepare(path))

    def client(key: str) -> httpx2.Client:
        return httpx2.Client(base_url=running.address, headers={"authorization": f"Bearer {key}"}, timeout=60)

    operator = client((running.hub.state / "operator.key").read_text("ascii"))
    door = Door(running, receiver, operator, operator, operator)
    door.ecology, door.market = client(door.key("ecology")), client(door.key("market"))
    yield door
    for one in (operator, door.ecology, door.market):
        one.close()
    running.stop()
    receiver.stop()

"""A small city for tests: an ecology bureau, a provincial receiver, and a hub between them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hub.bootstrap import ROLES, Hub, build, prepare
from hub.ledger import submissions
from hub.ledger.submissions import Submission
from standards.clock import Clock
from standards.ports import Acknowledged, HandOver, ReceiptView
from tests.receiver import Receiver

ECOLOGY = "11140200A4L2GB1F45"
CONFIG = """
republish = 1.0

[hub]
name = "datong"
title = "大同市监管数据交换枢纽"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"

[ledger]
url = "{ledger}"

[broker]
url = "{broker}"

[api]
port = 0

[workers]
lease = "{lease}"

[parties.ecology]
title = "大同市生态环境局"
code = "11140200A4L2GB1F45"

[parties.market]
title = "大同市市场监督管理局"
code = "111402001D22DR363Y"

[parties.centre]
title = "省监管数据中心"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "province"

[connections.ecology-penalties]
party = "ecology"
mapping = "demo_ecology/punish_action"

[connections.market-penalties]
party = "market"
dataset = "punish_action"

[connections.checks]
party = "ecology"
dataset = "check_action"

[destinations.province]
party = "centre"
adapter = "rest_push"
parcel = {parcel}
idempotent = "{idempotent}"
receipt_due = "{receipt_due}"
settings = {{ url = "{url}", quick_tries = 1, connect_seconds = 2, answer_seconds = 5, level = "province" }}

[destinations.province.retry]
waits = ["0.2s", "0.4s"]
probe = "0.3s"
give_up = "{give_up}"

[[routes]]
to = ["province"]

{more}
"""


def config(url: str, **changes: object) -> str:
    """The city's hub.toml."""
    values: dict[str, object] = {
        "ledger": "",
        "broker": "",
        "url": url,
        "parcel": 500,
        "idempotent": "id",
        "lease": "10s",
        "give_up": "1h",
        "receipt_due": "1h",
        "more": "",
    }
    return CONFIG.format(**{**values, **changes})


@dataclass
class City:
    """A running hub and its receiver."""

    hub: Hub
    receiver: Receiver

    def submit(self, data: bytes, connection: str = "ecology-penalties", **words: Any) -> Acknowledged:
        """Hand over."""
        return self.hub.intake.receive(HandOver(connection=connection, **words), [data])

    def settled(self, acknowledged: Acknowledged, seconds: float = 60) -> ReceiptView:
        """The receipt once every delivery has ended."""
        return self._wait(acknowledged, ("settled",), seconds)

    def judged(self, acknowledged: Acknowledged, seconds: float = 60) -> ReceiptView:
        """The receipt once every record has a verdict."""
        return self._wait(acknowledged, ("judged", "settled"), seconds)

    def _wait(self, acknowledged: Acknowledged, states: tuple[str, ...], seconds: float) -> ReceiptView:
        until(lambda: self.hub.receipts.state(acknowledged.receipt_no) in (*states, "stalled"), seconds)
        view = self.hub.receipts.receipt(acknowledged.receipt_no)
        assert view is not None
        assert view.state in states, view.document
        return view

    def stored(self, identifier: object) -> Submission:
        """A submission as the ledger has it."""
        with self.hub.ledger.read() as connection:
            found = submissions.get(connection, identifier)  # type: ignore[arg-type]
        assert found is not None
        return found


def until(true: Callable[[], bool], seconds: float = 30) -> None:
    """Wait until something is true; fails when it does not become so."""
    end = time.monotonic() + seconds
    pause = threading_event()
    while not true():
        assert time.monotonic() < end, "it did not become true in time"
        pause.wait(0.02)


def threading_event() -> Any:
    """Something to wait on that nobody sets."""
    import threading

    return threading.Event()


def start(
    folder: Path, receiver: Receiver, clock: Clock | None = None, roles: tuple[str, ...] = ROLES, **changes: object
) -> City:
    """A city whose hub runs in this process."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "hub.toml"
    path.write_text(config(receiver.url, **changes), "utf-8")
    settings, body = prepare(path)
    hub = build(settings, clock)
    hub.generations.publish(body, "test")
    hub.start(roles)
    return City(hub, receiver)


def running(folder: Path, **changes: object) -> Iterator[City]:
    """A city for one test."""
    receiver = Receiver().start()
    city = start(folder, receiver, **changes)  # type: ignore[arg-type]
    yield city
    city.hub.stop()
    receiver.stop()

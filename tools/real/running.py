"""A hub in this process that takes in the real files."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.bootstrap import Hub, build, prepare
from standards.ports import HandOver, ReceiptView
from tools.real.expected import RealInput, configuration

_SECONDS = 300


@contextmanager
def hub_for(folder: Path) -> Iterator[Hub]:
    """A hub on SQLite with every real connection."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "out").mkdir(exist_ok=True)
    path = folder / "hub.toml"
    path.write_text(configuration(folder), "utf-8")
    settings, body = prepare(path)
    hub = build(settings)
    hub.generations.publish(body, "real input")
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


def hand_over(hub: Hub, one: RealInput, data: bytes, external_id: str = "") -> ReceiptView:
    """Hand over, wait until it is settled, and fetch the receipt.  Raises TimeoutError."""
    hand = HandOver(connection=one.name, name=one.file_name, external_id=external_id)
    number = hub.intake.receive(hand, [data]).receipt_no
    end = time.monotonic() + _SECONDS
    while hub.receipts.state(number) not in ("settled", "stalled"):
        if time.monotonic() > end:
            raise TimeoutError(f"{one.name} is not settled")
        time.sleep(0.05)
    view = hub.receipts.receipt(number, limit=5000)
    assert view is not None
    return view

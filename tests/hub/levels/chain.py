"""A chain of hubs in this process: each is a party of the one above; the uppermost delivers to a receiver."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hub import serve
from hub.bootstrap import Hub, prepare
from hub.ledger import credentials
from hub.serve import Running
from standards.ports import Acknowledged, HandOver, ReceiptView
from tests.hub.city import until
from tests.receiver import Receiver

CODES = {
    "district": ("140213", "11140213KNQXNW0E4C"),
    "city": ("140200", "11140200E9QM7HGU4X"),
    "province": ("140000", "11140000N8Y3CP4F3H"),
}
BUREAU = "11140200A4L2GB1F45"

CONFIG = """
republish = 1.0

[hub]
name = "{level}"
title = "{level}"
level = "{level}"
region = "{region}"
code = "{code}"

[ledger]
url = "{ledger}"

[api]
port = {port}

[workers]
lease = "10s"

[parties.bureau]
title = "大同市生态环境局"
code = "11140200A4L2GB1F45"

[connections.penalties]
party = "bureau"
mapping = "demo_ecology/punish_action"

[parties.below]
title = "下级枢纽"
code = "{below_code}"
kind = "hub"

[connections.below]
party = "below"
adapter = "hub"

[parties.above]
title = "上级"
code = "11140000N8Y3CP4F3H"
kind = "platform"
level = "{above}"

[destinations.above]
party = "above"
adapter = "{adapter}"
parcel = {parcel}
settings = {settings}

[destinations.above.retry]
waits = ["0.2s", "0.4s"]
probe = "0.3s"

[[routes]]
to = ["above"]

{more}
"""


@dataclass
class Link:
    """One hub of the chain."""

    path: Path
    running: Running

    @property
    def hub(self) -> Hub:
        return self.running.hub

    def restart(self) -> None:
        """Stop and start again with the same ledger and address."""
        self.running.stop()
        self.running = serve.start(*prepare(self.path))


@dataclass
class Chain:
    """Hubs from below to above, and the receiver at the end."""

    receiver: Receiver
    links: list[Link] = field(default_factory=list)

    @property
    def lowest(self) -> Hub:
        return self.links[0].hub

    def submit(self, data: bytes, **words: Any) -> Acknowledged:
        """Hand over to the lowest hub."""
        return self.lowest.intake.receive(HandOver(connection="penalties", **words), [data])

    def receipt(self, kept: Acknowledged) -> ReceiptView:
        view = self.lowest.receipts.receipt(kept.receipt_no)
        assert view is not None
        return view

    def spoken(self, kept: Acknowledged) -> dict[str, tuple[int, int]]:
        """By level: how many records it accepted and refused, as the lowest hub knows."""
        return {said["level"]: (said["accepted"], said["refused"]) for said in self.receipt(kept).document["receipts"]}

    def heard(self, kept: Acknowledged, level: str, count: int, seconds: float = 60) -> None:
        """Wait until a level has spoken about so many records."""
        until(lambda: sum(self.spoken(kept).get(level, (0, 0))) >= count, seconds)


@contextmanager
def chain(
    folder: Path,
    levels: Sequence[str],
    receiver: Receiver,
    urls: Sequence[str] = (),
    *,
    way: str = "",
    own: Mapping[str, str] | None = None,
    **changes: object,
) -> Iterator[Chain]:
    """Start hubs of these levels, the uppermost first; `urls` are their ledgers.

    `way`: further settings of each hub's way up; `own`: further text of a level's hub.toml.
    """
    made = Chain(receiver)
    above, settings = "rest_push", f'{{ url = "{receiver.url}", quick_tries = 1, level = "nation" }}'
    try:
        for number, level in reversed(list(enumerate(levels))):
            below = levels[number - 1] if number else "district"
            place = folder / level
            place.mkdir(parents=True)
            region, code = CODES[level]
            values: dict[str, object] = {
                "level": level,
                "region": region,
                "code": code,
                "below_code": CODES[below][1],
                "above": {"district": "city", "city": "province", "province": "nation"}[level],
                "adapter": above,
                "settings": settings,
                "ledger": urls[number] if urls else "",
                "port": free_port(),
                "parcel": 500,
                "more": (own or {}).get(level, ""),
            }
            path = place / "hub.toml"
            path.write_text(CONFIG.format(**{**values, **changes}), "utf-8")
            running = serve.start(*prepare(path))
            made.links.insert(0, Link(path, running))
            key = _key(running.hub, place)
            above, settings = "hub", f'{{ url = "{running.address}", quick_tries = 1, key = "file:{key}"{way} }}'
        yield made
    finally:
        for link in made.links:
            link.running.stop()


def _key(hub: Hub, folder: Path) -> Path:
    """A key for the hub below."""
    now = hub.clock.now()
    path = folder / "below.key"
    path.write_text(hub.ledger.write(lambda c: credentials.make(c, "below", now, by="test"))[1], "ascii")
    return path


def free_port() -> int:
    """A port nobody listens on."""
    import socket

    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])

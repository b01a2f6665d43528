"""The second round of the demo: every named system sends and receives, and every count is compared."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adapters.systems.recipe import name_of
from demo.neighbours import Neighbours, desk_connection
from demo.sums import Wrong
from hub.facts import Facts
from hub.ledger.delivered import Tally, tally
from hub.serve import Running
from standards.digest import uuid7
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import Samples

#: Records of each feed, and the share of them that is wrong on purpose.
COUNT, WRONG = 10, 0.2
_SECONDS = 90.0


@dataclass(slots=True)
class Line:
    """What one system came to."""

    level: str
    system: str
    title: str
    title_en: str
    #: Feeds in and out.
    feeds: int = 0
    sent: int = 0
    accepted: int = 0
    rejected: int = 0
    #: What it received and stored.
    stored: int = 0
    wrong: list[Wrong] = field(default_factory=list)


@dataclass(slots=True)
class Side:
    """One level: its hub and its neighbours."""

    running: Running
    neighbours: Neighbours

    def begin(self) -> None:
        """Every system sends, and the desk reports what systems receive."""
        for one in self.neighbours.counterparts.values():
            one.switch(wrong=WRONG)
            for name in one.sending:
                one.announce(name, COUNT)
            one.switch(wrong=0.0)
        standard = built_in()
        for dataset in self.neighbours.received():
            records = Samples(standard.dataset(dataset), standard, seed=7).records(COUNT)
            body = "\n".join(json.dumps(one, ensure_ascii=False) for one in records).encode()
            self.running.hub.intake.receive(
                HandOver(
                    connection=desk_connection(dataset),
                    external_id=str(uuid7()),
                    name=f"{dataset}.ndjson",
                    content_type="application/x-ndjson",
                    actor="demo",
                ),
                [body],
            )

    def lines(self) -> Iterator[Line]:
        """What every system came to, with what does not agree."""
        hub = self.running.hub
        rows = {row["connection"]: row for row in Facts(hub.ledger, hub.clock).connections()}
        tallies = tally(hub.ledger)
        for one in self.neighbours.counterparts.values():
            system = one.system
            line = Line(self.neighbours.level, system.system, system.title, system.title_en, len(system.feeds))
            for name, sending in one.sending.items():
                row = rows.get(name_of(system, name), {})
                spoilt = sum(made.wrong for made in sending.made)
                line.sent += len(sending.made)
                line.accepted += row.get("accepted", 0)
                line.rejected += row.get("rejected", 0)
                right = len(sending.made) - spoilt
                if row.get("accepted", 0) != right or row.get("rejected", 0) < spoilt or row.get("held", 0):
                    line.wrong.append(_differs(f"{system.system}/{name}", right, spoilt, row))
            for name, receiving in one.receiving.items():
                stands = tallies.get(name_of(system, name), Tally())
                line.stored += len(receiving.store)
                if stands.accepted != len(receiving.store) or stands.open or not len(receiving.store):
                    line.wrong.append(
                        Wrong(
                            f"{system.system}/{name}：枢纽记送达 {stands.accepted}，对方存 {len(receiving.store)}，"
                            f"未完 {stands.open}",
                            f"{system.system}/{name}: the hub says {stands.accepted} were accepted, "
                            f"{len(receiving.store)} are stored, {stands.open} parcels are open",
                        )
                    )
            yield line


def _differs(name: str, right: int, spoilt: int, row: dict[str, Any]) -> Wrong:
    there = {word: row.get(word, 0) for word in ("read", "accepted", "held", "rejected", "duplicate")}
    return Wrong(
        f"{name}：应通过 {right}、退回 {spoilt}，实为 {there}",
        f"{name}: {right} should be accepted and {spoilt} rejected, is {there}",
    )


def until_settled(sides: list[Side], done: Callable[[], bool]) -> list[Line]:
    """Wait until everything agrees, or nothing more changes; the lines of both levels."""
    end = time.monotonic() + _SECONDS
    while True:
        lines = [line for side in sides for line in side.lines()]
        if (not any(line.wrong for line in lines) and done()) or time.monotonic() > end:
            return lines
        time.sleep(0.3)

"""The 66 systems that the source documents name (DOMAIN 8), and what serves each."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from adapters.systems.definition import Feed, System
from adapters.systems.load import systems

_ROWS = Path(__file__).with_name("rows.csv")


@dataclass(frozen=True, slots=True)
class NamedRow:
    """One row of the table."""

    number: int
    name: str
    seeds: str
    #: →H, H→, ↔, or – for what lies inside a connected system.
    direction: str
    data: str
    #: What serves it besides feeds of named systems, and the test that shows it.
    otherwise: str
    test: str

    @property
    def exchanges(self) -> bool:
        """Whether it talks to a hub at all."""
        return not self.direction.startswith("–")

    def feeds(self) -> Iterator[tuple[System, str, Feed]]:
        """The feeds that serve it."""
        for system in systems():
            for name, feed in system.feeds.items():
                if self.number in feed.rows:
                    yield system, name, feed


def rows() -> list[NamedRow]:
    """All of them, in order."""
    with _ROWS.open(encoding="utf-8", newline="") as stream:
        return [
            NamedRow(int(r["row"]), r["name"], r["seeds"], r["direction"], r["data"], r["otherwise"], r["test"])
            for r in csv.DictReader(stream)
        ]

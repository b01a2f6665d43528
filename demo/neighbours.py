"""The named systems beside a hub of the demo: their simulators, and the settings that connect them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from adapters.simulators.counterpart import Counterpart
from adapters.systems import System, systems
from adapters.systems.recipe import party_of, recipe
from standards.identifiers import make_uscc

#: Division that registers the parties of a level.
_REGISTERED = {"city": "140200", "province": "140000"}
#: A department with every data set that systems receive: where records come from that nobody else sends.
DESK = "desk"


@dataclass(slots=True)
class Neighbours:
    """Running simulators of every system of one level."""

    level: str
    folder: Path
    #: Settings that single feeds get besides their own: system, feed, settings.
    extra: Mapping[str, Mapping[str, Mapping[str, object]]] = field(default_factory=dict)
    only: Iterable[str] = ()
    first: int = 0
    counterparts: dict[str, Counterpart] = field(default_factory=dict)

    def start(self) -> Neighbours:
        """Start each of them."""
        wanted = set(self.only)
        for system in systems():
            if system.level == self.level and (not wanted or system.system in wanted):
                one = Counterpart(system, self.folder / system.system, start=self.first)
                self.counterparts[system.system] = one.start()
        return self

    def stop(self) -> None:
        """End all of them."""
        for one in self.counterparts.values():
            one.stop()

    @property
    def systems(self) -> list[System]:
        """Those that run."""
        return [one.system for one in self.counterparts.values()]

    def received(self) -> list[str]:
        """Data sets that go out to one of them."""
        found = {
            d
            for system in self.systems
            for feed in system.feeds.values()
            if feed.direction == "out"
            for d in feed.datasets
        }
        return sorted(found)

    @property
    def parties(self) -> list[str]:
        """Those who run, and the desk."""
        return [*(party_of(system) for system in self.systems), DESK]

    def settings(self, *, only_theirs: bool = False) -> str:
        """The part of hub.toml that connects them, and a desk that reports whatever they receive.

        `only_theirs`: to them goes what comes from them or the desk, and nobody else's records.
        """
        parts = []
        parties = self.parties if only_theirs else []
        for one in self.counterparts.values():
            code = code_of(one.system.system, self.level)
            words = {**one.words(), "code": code}
            parts.append(recipe(one.system, words, self.extra.get(one.system.system, {}), parties))
        parts.append(desk(self.received(), self.level))
        return "\n".join(parts)

    def sent(self) -> list[str]:
        """Data sets that come in from one of them, or from the desk."""
        found = {
            feed.datasets[0] for system in self.systems for feed in system.feeds.values() if feed.direction == "in"
        }
        return sorted(found | set(self.received()))

    def attach(self, url: str, keys: Mapping[str, str]) -> None:
        """Tell them where the hub is; a key for each party."""
        for one in self.counterparts.values():
            one.attach(url, keys[party_of(one.system)])


def code_of(name: str, level: str) -> str:
    """An invented credit code, always the same for a name."""
    return make_uscc(Random(name), _REGISTERED[level], "11")


def desk_connection(dataset: str) -> str:
    """The desk's connection of a data set."""
    return f"{DESK}-{dataset}".replace("_", "-")


def desk(datasets: Iterable[str], level: str) -> str:
    """Connections of the desk, in the standard's words."""
    lines = [
        f"[parties.{DESK}]",
        f'title = "各委办局监管业务系统（{level}）"',
        f'code = "{code_of(DESK, level)}"',
        "",
    ]
    for dataset in datasets:
        lines += [f"[connections.{desk_connection(dataset)}]", f'party = "{DESK}"', f'dataset = "{dataset}"', ""]
    return "\n".join(lines)

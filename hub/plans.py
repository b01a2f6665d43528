"""Plans of one thread: built once for each generation and connection, again when an operator answered a code."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

from hub.ledger import crosswalks
from hub.ledger.engine import Ledger
from hub.plan import Plan

#: As many as are used at once in earnest.
_KEPT = 2


class Compiles(Protocol):
    """What plans are made from: a generation."""

    number: int

    def mapping_of(self, name: str, /) -> str:
        """The mapping of a connection."""
        ...

    def plan(self, name: str, answered: Mapping[str, Mapping[str, str]], dataset_id: str = "", /) -> Plan:
        """A new plan of a connection."""
        ...


@dataclass(slots=True)
class Plans:
    """Compiled plans; not shared between threads."""

    ledger: Ledger
    _plans: dict[tuple[int, str, str], tuple[str, Plan]] = field(default_factory=dict)

    def plan(self, generation: Compiles, connection: str, dataset: str = "") -> Plan:
        """The plan of a connection, and of one data set where each hand-over names its own.

        Raises BadSetup when the generation has none.
        """
        mapping = generation.mapping_of(connection)
        with self.ledger.read() as read:
            stamp = crosswalks.stamp(read, mapping)
            key = (generation.number, connection, dataset)
            held = self._plans.get(key)
            if held is not None and held[0] == stamp:
                return held[1]
            answers = crosswalks.answers(read, mapping)
        plan = generation.plan(connection, answers, dataset)
        self._plans = {k: v for k, v in self._plans.items() if k[0] >= generation.number - 1}
        self._plans[key] = (stamp, plan)
        return plan


class PlanShelf:
    """Plans for those who need one for a moment: lent to one at a time, and kept for the next."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: deque[Plans] = deque(maxlen=_KEPT)

    @contextmanager
    def lent(self) -> Iterator[Plans]:
        """Nobody else has these meanwhile; a plan of them is not used afterwards."""
        try:
            plans = self._kept.pop()
        except IndexError:
            plans = Plans(self._ledger)
        try:
            yield plans
        finally:
            self._kept.append(plans)

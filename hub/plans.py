"""Plans of one thread: built once for each generation and connection, again when an operator answered a code."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Protocol

from adapters.formats.base import Note
from hub.ledger import crosswalks
from hub.ledger.engine import Ledger
from hub.plan import Plan
from standards.model import FilledBy

#: Formats in which every record has every field, so that a field that is not there is a mistake of the file.
_WITH_HEADER = ("csv", "workbook", "xlsx", "xls", "xlsb", "ods")
#: So many columns of a foreign file are named.
_NAMED = 6
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

    @staticmethod
    def missing_fields(plan: Plan, seen: Sequence[str], file_format: str) -> list[Note]:
        """Fields the mapping reads that no record had, where the file has a header; with the near name.

        Who speaks the standard's words may leave out what is not demanded.
        """
        if not seen or file_format not in _WITH_HEADER:
            return []
        there = set(seen)
        notes = []
        for element, fields in plan.program.wanted:
            if not plan.settings.mapping and not _demanded(plan, element):
                continue
            if there.isdisjoint(fields):
                near = get_close_matches(fields[0], seen, 1, 0.5)
                params = {
                    "element": element,
                    "title": plan.dataset.by_id[element].title if element in plan.dataset.by_id else "",
                }
                if near:
                    params["near"] = near[0]
                notes.append(Note("10004.missing_column", value="、".join(fields), params=params))
        return notes


def field_notes(plan: Plan, seen: Sequence[str], unknown: Sequence[str], file_format: str, records: int) -> list[Note]:
    """What the columns of a file tell: no row below the header, a wholly foreign file, or single ones amiss."""
    if not records:
        return [Note("10004.no_rows")] if file_format in _WITH_HEADER else []
    if seen and file_format in _WITH_HEADER and not set(seen) - set(unknown):
        few = "、".join(seen[:_NAMED]) + (" …" if len(seen) > _NAMED else "")
        return [Note("10004.foreign_file", params={"other": plan.dataset.title, "found": few})]
    return [*(Note("10004.column", value=name) for name in unknown), *Plans.missing_fields(plan, seen, file_format)]


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


def _demanded(plan: Plan, element: str) -> bool:
    found = plan.dataset.by_id.get(element)
    return found is not None and found.need == "must" and found.filled_by is FilledBy.SENDER

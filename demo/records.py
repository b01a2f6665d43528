"""What a department hands over, and what must become of each record: stated before anything runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from standards.digest import cd_id, join_key
from standards.states import Verdict


@dataclass(frozen=True, slots=True)
class Stated:
    """The verdict on one record, the finding it must lead to ('' for none) and its identity at the receiver."""

    verdict: Verdict
    code: str = ""
    cd_id: str = ""


@dataclass(frozen=True, slots=True)
class File:
    """One hand-over of a department."""

    name: str
    data: bytes
    records: tuple[Stated, ...]
    #: How many of the held ones wait for what another department hands over, and are accepted when it comes.
    released: int = 0

    @property
    def counts(self) -> Counter[Verdict]:
        """How many records of each verdict in the end."""
        return Counter(record.verdict for record in self.records)


@dataclass(frozen=True, slots=True, kw_only=True)
class Department:
    """One connection of the demo city."""

    connection: str
    party: str
    title: str
    title_en: str
    way: Literal["folder", "rest"]
    #: How its data look, in words of no language.
    form: str
    dataset: str
    files: tuple[File, ...] = field(repr=False)

    @property
    def counts(self) -> Counter[Verdict]:
        """How many records of each verdict in all its files."""
        return sum((file.counts for file in self.files), Counter())


class Statements:
    """Writes down what must become of the records of one file."""

    def __init__(self, dataset: str, owner: str, *, hide_key: bool = False) -> None:
        self._dataset = dataset
        self._owner = owner
        self._hide = hide_key

    def accepted(self, *key: str) -> Stated:
        """The record passes and is delivered."""
        return Stated(Verdict.ACCEPTED, "", cd_id(self._owner, self._dataset, join_key(key), hide=self._hide))

    def as_found(self, fault: str, *key: str) -> Stated:
        """Rejected for a fault, or accepted when there is none."""
        return Stated(Verdict.REJECTED, fault) if fault else self.accepted(*key)

    @staticmethod
    def held(code: str) -> Stated:
        """The record waits."""
        return Stated(Verdict.HELD, code)

    @staticmethod
    def duplicate() -> Stated:
        """The hub has this very record already."""
        return Stated(Verdict.DUPLICATE)


def every(number: int, step: int, faults: Sequence[str]) -> str:
    """The fault of record `number` (from 1) when each `step`-th has one, each kind in turn; '' for the others."""
    return faults[number // step % len(faults)] if faults and number % step == 0 else ""

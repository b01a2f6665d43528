"""Records of each data set, made fast: one valid record with places for what differs from record to record."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from standards.digest import canonical_json, cd_id, join_key, key_hash
from standards.model import DataSet
from standards.registry import Standard
from standards.samples import valid_records

_NUMBER, _DAY, _SUBJECT = "@NUMBER@", "@DAY@", "@SUBJECT@"


@dataclass(frozen=True, slots=True)
class Shape:
    """How records of one data set look."""

    dataset: DataSet
    #: (number, day, subject) -> canonical JSON.
    line: Callable[[str, str, str], bytes]
    #: (number, day, subject) -> natural key as one text.
    key: Callable[[str, str, str], str]
    #: An element whose fault findings tell of.
    element: str
    has_day: bool
    has_subject: bool

    def hashed(self, key: str) -> bytes:
        """What stands for a key in the ledger."""
        return key_hash(self.dataset.id, key)

    def identity(self, owner: str, key: str) -> str:
        """The record's cd_id."""
        return cd_id(owner, self.dataset.id, key, hide=self.dataset.key_personal)


def shape_of(standard: Standard, name: str) -> Shape:
    """Of the first valid sample."""
    dataset = standard.dataset(name)
    sample = next(iter(valid_records(dataset, standard, 1)))
    record = {key: value for key, value in sample.items() if key in dataset.by_id and value}
    day, subject = dataset.event_date or "", dataset.subject.code or ""
    number = next((one for one in dataset.natural_key if one not in (day, subject)), dataset.natural_key[0])
    if day:
        record[day] = _DAY
    if subject and subject != number:
        record[subject] = _SUBJECT
    record[number] = _NUMBER
    parts = [record.get(one, "") for one in dataset.natural_key]
    text = canonical_json(record).decode()

    def line(number: str, day: str, subject: str) -> bytes:
        return text.replace(_NUMBER, number).replace(_DAY, day).replace(_SUBJECT, subject).encode()

    def key(number: str, day: str, subject: str) -> str:
        its = {_NUMBER: number, _DAY: day, _SUBJECT: subject}
        return join_key([its.get(part, part) for part in parts])

    return Shape(dataset, line, key, number, bool(day), bool(subject) and subject != number)

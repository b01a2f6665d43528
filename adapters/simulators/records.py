"""As many records of a feed as are wanted, each different in its keys; a share of them wrong on purpose."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random
from typing import Any

from adapters.simulators.faults import Faults
from adapters.systems.definition import Feed
from mappings.outward.wire import Words, body
from standards.identifiers import check_uscc, make_uscc


@dataclass(frozen=True, slots=True)
class Made:
    """One record of the other side."""

    number: int
    row: dict[str, Any]
    #: It was spoiled: the hub must reject it.
    wrong: bool
    #: When it was announced, China's time.
    at: datetime


def record(feed: Feed, number: int, faults: Faults, at: datetime) -> Made:
    """Record number so-and-so: the samples in turn, with keys of its own."""
    row = copy.deepcopy(feed.sample[number % len(feed.sample)])
    for path in feed.unique:
        _change(row, path, lambda value: _other(value, number))
    wrong = faults.refuses(f"{number}")
    for path, value in feed.spoil.items() if wrong else ():
        _change(row, path, lambda _old, value=value: value)
    return Made(number, row, wrong, at)


def _other(value: str, number: int) -> str:
    """A key of its own, of the same sort as the sample's."""
    if check_uscc(value) is None:
        return value if not number else make_uscc(Random(f"{value}/{number}"), value[2:8], value[:2])  # noqa: S311 - no secret
    return _counted(value, number) if value.isdigit() else f"{value}-{number}"


def _counted(value: str, number: int) -> str:
    """Digits stay digits, and as many."""
    return str(int(value) + number).zfill(len(value))[-len(value) :]


def _change(row: dict[str, Any], path: str, change: Any) -> None:
    *steps, last = path.split("/")
    for step in steps:
        row = row[step]
    row[last] = change(str(row.get(last, "")))


def written(
    feed: Feed, made: Sequence[Made], *, moment: datetime, page: int = 1, pages: int = 1, total: int = 0, **words: str
) -> bytes:
    """Records as the other side sends them."""
    filled = Words(count=len(made), moment=moment, page=page, pages=pages, total=total or len(made), **words)
    return body([one.row for one in made], feed.wire, filled)

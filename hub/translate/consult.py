"""What a base that is asked says of a chunk of records: unknown keys, other values, empty elements filled.  Pure.

One question for each rule and chunk.  A base that does not answer holds its records: they are not wrong, but unknown.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import structlog

from standards.checker import UNREADABLE, Fault
from standards.errors import HubError, SystemUnreachable
from standards.model import Severity

log = structlog.get_logger()

UNMATCHED, DIFFERENT, FILLED, NO_ANSWER = "30003.lookup", "20005", "20005.filled", "90001.lookup"
#: Findings that hold a record until a base is asked again.
WAITS_FOR_BASE = (UNMATCHED, DIFFERENT, NO_ANSWER)

Key = tuple[str, ...]
#: Asks a lookup by its name; raises HubError when it does not answer.
Ask = Callable[[str, Sequence[Key]], Mapping[Key, Mapping[str, str]]]


def nobody_to_ask(name: str, _keys: Sequence[Key]) -> dict[Key, dict[str, str]]:
    """Where no base can be asked."""
    raise SystemUnreachable(f"{name} is not asked here")


@dataclass(frozen=True, slots=True)
class LookupRule:
    """What is looked up of each record, and what follows."""

    lookup: str
    #: What people call the base.
    title: str
    key: tuple[str, ...]
    unmatched: Severity
    different: Severity
    #: Element here and field there.
    compare: tuple[tuple[str, str], ...] = ()
    fill: tuple[tuple[str, str], ...] = ()
    #: When it counts: elements, and a function over their values.
    names: tuple[str, ...] = ()
    condition: Callable[..., object] | None = None


class Said(NamedTuple):
    """A finding of a lookup."""

    row: int
    element: str
    code: str
    severity: Severity
    value: str
    params: Mapping[str, str]


@dataclass(slots=True)
class Consulted:
    """What the bases said of a chunk."""

    #: The records with what was filled in.
    columns: dict[str, list[str]]
    said: list[Said] = field(default_factory=list)
    #: Row -> element -> value that was filled in.
    fills: dict[int, dict[str, str]] = field(default_factory=dict)
    #: Elements whose column is a copy.
    copied: set[str] = field(default_factory=set)
    #: Row -> elements that a base would perhaps have filled in, had it answered.
    unfilled: dict[int, set[str]] = field(default_factory=dict)

    def unfill(self, faults: Sequence[Fault], before: Mapping[str, list[str]]) -> bool:
        """Take back what was filled in and is wrong: the sender did not say it.  True when something was."""
        wrong = {(f.row, f.element) for f in faults if f.element in self.fills.get(f.row, ())}
        for row, element in wrong:
            self.columns[element][row] = before[element][row] if element in before else ""
            del self.fills[row][element]
        self.said = [s for s in self.said if s.code != FILLED or (s.row, s.element) not in wrong]
        return bool(wrong)

    def may_wait(self, fault: Fault) -> bool:
        """True when an element is missing that a base would perhaps have filled in."""
        return fault.code == "10001" and fault.element in self.unfilled.get(fault.row, ())


def consult(
    rules: Sequence[LookupRule], columns: Mapping[str, list[str]], rows: Sequence[int], count: int, ask: Ask
) -> Consulted:
    """Ask about these rows of a chunk of `count` records."""
    result = Consulted(dict(columns))
    for rule in rules:
        keys = _keys(rule, result.columns, rows)
        if not keys:
            continue
        try:
            found = ask(rule.lookup, list(dict.fromkeys(keys.values())))
        except HubError as error:
            log.warning("a base did not answer", action="lookup_failed", lookup=rule.lookup, why=error.what)
            _no_answer(rule, keys, result)
            continue
        for row, key in keys.items():
            _one(rule, row, key, found.get(key), result, count)
    return result


def _keys(rule: LookupRule, columns: Mapping[str, list[str]], rows: Sequence[int]) -> dict[int, Key]:
    """The key of each row that is looked up; rows with an empty or unreadable part are not."""
    parts = [columns.get(name) for name in rule.key]
    if not all(parts):
        return {}
    conditions = [columns.get(name) for name in rule.names]
    keys = {}
    for row in rows:
        key = tuple(part[row] for part in parts if part is not None)
        if "" in key or UNREADABLE in key:
            continue
        if rule.condition is None or _holds(rule.condition, [c[row] if c else "" for c in conditions]):
            keys[row] = key
    return keys


def _holds(condition: Callable[..., object], values: list[str]) -> bool:
    try:
        return bool(condition(*values))
    except (TypeError, ValueError):
        return False


def _no_answer(rule: LookupRule, keys: Mapping[int, Key], result: Consulted) -> None:
    params = {"system": rule.title}
    for row, key in keys.items():
        result.said.append(Said(row, rule.key[0], NO_ANSWER, Severity.HOLD, key[0], params))
        result.unfilled.setdefault(row, set()).update(element for element, _ in rule.fill)


def _one(rule: LookupRule, row: int, key: Key, there: Mapping[str, str] | None, result: Consulted, count: int) -> None:
    params = {"system": rule.title}
    if there is None:
        result.said.append(Said(row, rule.key[0], UNMATCHED, rule.unmatched, key[0], params))
        return
    for element, name in rule.compare:
        here, other = _value(result.columns, element, row), there.get(name, "")
        if here and other and here != UNREADABLE and not same(here, other):
            said = {**params, "other": other}
            result.said.append(Said(row, element, DIFFERENT, rule.different, here, said))
    for element, name in rule.fill:
        value = there.get(name, "")
        if value and not _value(result.columns, element, row):
            _fill(result, element, row, value, count)
            result.said.append(Said(row, element, FILLED, Severity.WARNING, value, params))


def _value(columns: Mapping[str, list[str]], element: str, row: int) -> str:
    column = columns.get(element)
    return column[row] if column is not None else ""


def _fill(result: Consulted, element: str, row: int, value: str, count: int) -> None:
    """The columns that came stay as they came: a filled one is a copy."""
    if element not in result.copied:
        result.copied.add(element)
        result.columns[element] = list(result.columns.get(element) or [""] * count)
    result.columns[element][row] = value
    result.fills.setdefault(row, {})[element] = value


def same(one: str, other: str) -> bool:
    """Equal but for widths, blanks and capitals: 大同（煤业） is 大同(煤业)."""
    return _plain(one) == _plain(other)


def _plain(value: str) -> str:
    return "".join(unicodedata.normalize("NFKC", value).split()).casefold()

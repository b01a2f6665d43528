"""What a system's records come to, element by element: how often filled, with how many values, with what findings.

Counted chunk by chunk in bounded memory; of each element so many different values are told apart, no more.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from mappings.grammar import MappingFile
from standards.checker import UNREADABLE, Fault
from standards.masks import mask
from standards.masks_in_text import mask_text
from standards.model import DataSet, Element, FilledBy, Severity

#: Different values of one element that are told apart.
MOST_VALUES = 1000
#: A longer value is known by its digest.
_LONG = 64
#: A must-element filled more rarely is told as such.
_OFTEN = 0.95
#: One value this often makes an element dubious; fewer records say nothing about it.
_SAME = 0.98
_FEW = 20

SeverityOf = Callable[[str, str], Severity]


class Standing(StrEnum):
    """How an element stands, the worst first."""

    NEVER = "never"  # must be filled and never is
    LACKING = "lacking"  # the mapping says why the system cannot give it
    SELDOM = "seldom"  # must be filled and often is not
    FAULTY = "faulty"  # its values draw findings
    SAME = "same"  # (nearly) always the same value: is it the right field?
    EMPTY = "empty"  # need not be filled and never is
    GOOD = "good"


_ORDER = {standing: n for n, standing in enumerate(Standing)}
#: Standings for which somebody has to act.
WRONG = (Standing.NEVER, Standing.SELDOM, Standing.FAULTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One element over all records that were looked at."""

    element: str
    title: str
    need: str
    #: The sender's field(s) it comes from; '' where nothing feeds it.
    fields: str
    rows: int
    filled: int
    distinct: int
    #: True when there are more values than are told apart.
    more: bool
    #: The value that stands there most often, if one comes back, and how often; masked where the element is personal.
    commonest: str
    times: int
    #: Finding code -> how often, besides warnings.
    findings: Mapping[str, int]
    warnings: Mapping[str, int]
    standing: Standing

    @property
    def share(self) -> float:
        """Share of the records that have it."""
        return self.filled / self.rows if self.rows else 0.0

    @property
    def faulty(self) -> float:
        """Findings per record."""
        return sum(self.findings.values()) / self.rows if self.rows else 0.0


@dataclass(slots=True)
class _Count:
    """One element so far."""

    filled: int = 0
    more: bool = False
    values: Counter[str] = field(default_factory=Counter)
    findings: Counter[str] = field(default_factory=Counter)
    warnings: Counter[str] = field(default_factory=Counter)

    def add(self, column: Sequence[str]) -> None:
        for value, times in Counter(column).items():
            if not value:
                continue
            self.filled += times
            if value == UNREADABLE:  # given, and not understood: its finding says so
                continue
            known = value if len(value) <= _LONG else f"#{hashlib.blake2b(value.encode(), digest_size=16).hexdigest()}"
            if known in self.values or len(self.values) < MOST_VALUES:
                self.values[known] += times
            else:
                self.more = True


@dataclass(slots=True)
class Coverage:
    """Adds up chunks of translated records of one data set."""

    dataset: DataSet
    file: MappingFile
    labels: Mapping[str, str]
    severity: SeverityOf
    rows: int = 0
    _counts: dict[str, _Count] = field(default_factory=dict)

    def add(self, columns: Mapping[str, Sequence[str]], count: int, faults: Iterable[Fault]) -> None:
        """Some records more, as columns, with what the mapping and the checker found."""
        self.rows += count
        for element in self.dataset.from_sender:
            counted = self._counts.setdefault(element.id, _Count())
            if (column := columns.get(element.id)) is not None:
                counted.add(column)
        for fault in faults:
            counted = self._counts.setdefault(fault.element, _Count())
            mild = self.severity(fault.code, fault.params.get("rule", "")) is Severity.WARNING
            (counted.warnings if mild else counted.findings)[fault.code] += 1

    def lines(self) -> list[Line]:
        """Every element a sender may give, the worst first."""
        made = [self._line(element, self._counts.get(element.id, _Count())) for element in self.dataset.from_sender]
        return sorted(made, key=lambda one: (_ORDER[one.standing], -one.faulty, one.share))

    def _line(self, element: Element, counted: _Count) -> Line:
        value, times = counted.values.most_common(1)[0] if counted.values else ("", 0)
        spec = self.file.elements.get(element.id)
        fixed = spec is not None and spec.const is not None
        shown = mask(value) if element.personal or element.identified_by is not None else mask_text(value)
        line = Line(
            element=element.id,
            title=element.title,
            need=element.need,
            fields=self.labels.get(element.id, ""),
            rows=self.rows,
            filled=counted.filled,
            distinct=len(counted.values),
            more=counted.more,
            commonest="" if times < 2 or (value.startswith("#") and len(value) == 33) else shown,
            times=times,
            findings=dict(counted.findings.most_common()),
            warnings=dict(counted.warnings.most_common()),
            standing=Standing.GOOD,
        )
        return _judged(line, element, lacking=element.id in self.file.lacks, fixed=fixed)


def _judged(line: Line, element: Element, *, lacking: bool, fixed: bool) -> Line:
    """The line with its standing."""
    must = element.need == "must" and element.filled_by is FilledBy.SENDER
    if lacking and not line.filled:
        standing = Standing.LACKING
    elif must and not line.filled:
        standing = Standing.NEVER
    elif must and line.share < _OFTEN:
        standing = Standing.SELDOM
    elif line.findings:
        standing = Standing.FAULTY
    elif not line.filled:
        standing = Standing.EMPTY
    elif not fixed and line.filled >= _FEW and line.times >= _SAME * line.filled:
        standing = Standing.SAME
    else:
        return line
    return replace(line, standing=standing)

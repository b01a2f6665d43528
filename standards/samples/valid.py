"""Valid records: random values, then a search that changes them until every need, group and rule holds."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from standards.expressions import parse
from standards.model import DataSet, Element, FilledBy, Kind, Severity
from standards.registry import Standard
from standards.samples.values import Values

Record = dict[str, str]

#: How many records are searched for; further ones vary what no condition looks at.
_POOL = 200
_STEPS = 4000


@dataclass(frozen=True)
class Constraint:
    """Something that must not be true of a valid record."""

    #: need, group or rule.
    kind: str
    name: str
    #: The element a checker would name.
    element: str
    code: str
    names: tuple[str, ...]
    broken: Callable[..., object]
    constants: tuple[str, ...]
    severity: Severity = Severity.ERROR

    def holds(self, record: Mapping[str, str]) -> bool:
        """Whether the record is fine by it."""
        return not self.broken(*[record.get(name, "") for name in self.names])


class Samples:
    """Makes records of one data set; the same seed makes the same records.

    `whole` fills also what the hub and the receivers fill, as the upper platform would see it.
    """

    def __init__(
        self,
        dataset: DataSet,
        standard: Standard,
        seed: int = 1,
        today: date = date(2025, 6, 30),
        whole: bool = False,
    ) -> None:
        self.dataset = dataset
        self.standard = standard
        self.random = Random(seed)  # noqa: S311 - samples, no secrets
        self.values = Values(standard, self.random, today)
        self.today = today
        self.filled = [e for e in dataset.elements if whole or e.filled_by is FilledBy.SENDER or e.sender_may]
        ids = {e.id for e in self.filled}
        self.demanded = [e for e in self.filled if whole or e.filled_by is FilledBy.SENDER]
        self.constraints = self._constraints()
        self._by_name: dict[str, list[Constraint]] = {}
        for constraint in self.constraints:
            for name in {*constraint.names, constraint.element} & ids:
                self._by_name.setdefault(name, []).append(constraint)

    # --- what must hold

    def _constraints(self) -> list[Constraint]:
        ids = [e.id for e in (*self.standard.common_for(self.dataset), *self.dataset.elements)]
        found = []
        groups: dict[str, list[Element]] = {}
        for element in self.demanded:
            if element.group is not None:
                groups.setdefault(element.group, []).append(element)
            elif element.when is not None:
                text = f"({element.when}) and empty({element.id})"
                found.append(_constraint(text, ids, kind="need", name=element.id, element=element.id, code="10002"))
        for name, held in groups.items():
            empty = " and ".join(f"empty({e.id})" for e in held)
            conditions = " or ".join(sorted({f"({e.when})" for e in held if e.when}))
            text = f"({conditions}) and {empty}" if conditions else empty
            found.append(_constraint(text, ids, kind="group", name=name, element=held[0].id, code="10008"))
        for rule in self.dataset.rules:
            found.append(
                _constraint(
                    rule.when,
                    ids,
                    kind="rule",
                    name=rule.id,
                    element=rule.elements[0],
                    code=rule.code,
                    severity=rule.severity,
                )
            )
        return found

    def broken(self, record: Mapping[str, str]) -> list[Constraint]:
        """What is not fine about a record."""
        return [c for c in self.constraints if not c.holds(record)]

    # --- making

    def records(self, count: int) -> Iterator[Record]:
        """That many valid records with different keys."""
        pool: list[Record] = []
        seen: set[tuple[str, ...]] = set()
        while len(seen) < count:
            record = self.one() if len(pool) < _POOL else self._varied(pool[len(seen) % _POOL])
            key = tuple(record.get(name, "") for name in self.dataset.natural_key)
            if key in seen:
                record = self._rekeyed(record)
                key = tuple(record.get(name, "") for name in self.dataset.natural_key)
                if key in seen:
                    continue
            seen.add(key)
            if len(pool) < _POOL:
                pool.append(dict(record))
            yield record

    def _rekeyed(self, base: Record) -> Record:
        """The record under another key, and what its rules tie to the key changed with it."""
        record = dict(base)
        for name in self.dataset.natural_key:
            tied = {n for c in self._by_name.get(name, ()) if c.kind == "rule" for n in c.names}
            for other in (tied & record.keys()) | ({name} & record.keys()):
                element = self.dataset.by_id[other]
                if element.type is not Kind.CODE:
                    record[other] = self.value(element, record)
        return self.settle(record, ()) or base

    def one(self) -> Record:
        """A valid record."""
        for _ in range(20):
            record = self.settle(self.draft(), ())
            if record is not None:
                return record
        raise ValueError(f"{self.dataset.id}: no valid record found; its rules may contradict each other")

    def draft(self) -> Record:
        """A record whose values are right one by one."""
        record: Record = {}
        for element in self.filled:
            if element.need == "must" or self.random.random() < self._share(element):
                record[element.id] = self.value(element, record)
        # What depends on the type of a certificate is made when that is known.
        for element in self.filled:
            if element.identified_by is not None and element.id in record:
                record[element.id] = self.value(element, record)
        return record

    @staticmethod
    def _share(element: Element) -> float:
        """How often an optional element is filled."""
        return 0.05 if element.type is Kind.JSON else 0.4

    def value(self, element: Element, record: Mapping[str, str]) -> str:
        """A valid value of an element within a record."""
        return self.values.make(element, record.get(element.identified_by or "", ""))

    def _varied(self, base: Record) -> Record:
        """A copy with new values where no condition looks, so that keys differ."""
        record = dict(base)
        for element in self.filled:
            tied = element.id in self._by_name or any(e.identified_by == element.id for e in self.filled)
            if element.id in record and not tied and element.type is not Kind.JSON:
                record[element.id] = self.value(element, record)
        return record

    # --- searching

    def settle(self, record: Record, targets: tuple[Constraint, ...], steps: int = _STEPS) -> Record | None:
        """Change values until exactly the targets are broken; None when that was not found."""
        record = dict(record)
        wrong = self._wrong(record, targets)
        for _ in range(steps):
            if not wrong:
                return record
            changed = self._step(record, self.random.choice(wrong))
            after = self._wrong(changed, targets)
            if len(after) <= len(wrong) or self.random.random() < 0.02:
                record, wrong = changed, after
        return None

    def _wrong(self, record: Mapping[str, str], targets: tuple[Constraint, ...]) -> list[Constraint]:
        return [c for c in self.constraints if c.holds(record) == (c in targets)]

    def _step(self, record: Record, constraint: Constraint) -> Record:
        names = [n for n in (*constraint.names, constraint.element) if n in self.dataset.by_id]
        changed = dict(record)
        if not names:
            return changed
        element = self.dataset.by_id[self.random.choice(names)]
        value = self._candidate(element, changed, constraint)
        if constraint.kind == "group" and self.random.random() < 0.5:
            value = ""  # a group is broken only where all its members are empty
        if value:
            changed[element.id] = value
        elif element.need != "must":
            changed.pop(element.id, None)
        for other in self.filled:
            if other.identified_by == element.id and other.id in changed:
                changed[other.id] = self.value(other, changed)
        return changed

    def _candidate(self, element: Element, record: Mapping[str, str], constraint: Constraint) -> str:
        """'' , a new value, a constant of the condition, or a value near that of another element of it."""
        choice = self.random.random()
        certificate = record.get(element.identified_by or "", "")
        if choice < 0.15:
            return ""
        if choice < 0.45:
            return self.value(element, record)
        if element.type is Kind.REGION:
            return self.values.any_region()
        near = [c for c in constraint.constants if element.type is not Kind.TEXT or not c.isdigit()]
        if element.type in (Kind.DECIMAL, Kind.INT):
            near += self.values.numbers_beside(element, constraint.constants)
        for name in constraint.names if element.type is not Kind.LIST else (element.id,):
            near += _near(record.get(name, ""))
        near += [v[: int(n)] for v in list(near) for n in constraint.constants if n.isdigit() and int(n) < len(v)]
        if element.type is Kind.TEXT:  # a sign alone would be read as "nothing is there"
            near = [v for v in near if any(map(str.isalnum, v))]
        fitting = [v for v in near if v and self.values.fits(element, v, certificate)]
        if element.not_future:
            fitting = [v for v in fitting if v[:10] <= self.today.isoformat()]
        return self.random.choice(fitting) if fitting else self.value(element, record)


def _constraint(
    text: str, ids: list[str], *, kind: str, name: str, element: str, code: str, severity: Severity = Severity.ERROR
) -> Constraint:
    expression = parse(text, ids)
    constants = tuple(
        dict.fromkeys(
            str(n.value) for n in ast.walk(ast.parse(text.strip(), mode="eval")) if isinstance(n, ast.Constant)
        )
    )
    return Constraint(kind, name, element, code, expression.names, expression.function(), constants, severity)


def _near(value: str) -> list[str]:
    """The value, and what lies beside it: days, numbers, more or fewer items."""
    found = [value]
    day = value[:10]
    if len(day) == 10 and day[4] == day[7] == "-":
        try:
            middle = date.fromisoformat(day)
        except ValueError:
            return found
        for days in (-30, -1, 0, 1, 30):
            other = (middle + timedelta(days=days)).isoformat()
            found += [other, f"{other} 10:00:00"]
    elif value.replace(".", "", 1).isdigit() and len(value) < 24:
        whole, point, fraction = value.partition(".")
        for factor in (0, 1, 2, 3):
            found.append(f"{int(whole) * factor + 1}{point}{fraction}")
        found.append(f"-{value}")
    elif ";" in value:
        found += [value.rpartition(";")[0], f"{value};{value.partition(';')[0]}2"]
    elif value:
        found.append(f"{value};{value}2")
    return found


def valid_records(dataset: DataSet, standard: Standard, count: int, seed: int = 1) -> Iterator[Record]:
    """That many valid records as a sender would give them."""
    return Samples(dataset, standard, seed).records(count)

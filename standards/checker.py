"""The compiled checker of a data set: finds all faults of many records at once, column by column.

A column of one element is looked at as a whole: values seen good before are passed over by set arithmetic,
and only what is new is examined.  So the cost of a good record is a few microseconds, and a bad one costs
no more than its findings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple, Protocol

import msgspec

from standards import identifiers, private_use
from standards.expressions import FUNCTIONS, SUPPORT, parse
from standards.model import DataSet, Element, FilledBy, Kind, Rule

#: Stands in a column where the sender's value could not be turned into the element; its fault is told already.
UNREADABLE = "\x00?"

_REMEMBERED = 50_000
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u200b\u2028\u2029\ufeff]")
_SUSPICIOUS = re.compile(f"{_UNSEEN.pattern[:-1]}{private_use.AREAS}]")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_DATETIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_DECIMAL = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_INT = re.compile(r"-?(0|[1-9]\d*)")

Params = Mapping[str, str]
Verdict = tuple[str, Params] | None


class Fault(NamedTuple):
    """One thing wrong with one record: what the checker says before it is put into words."""

    row: int
    element: str
    code: str
    value: str
    params: Params


class Vocabulary(Protocol):
    """What the checker asks about codes."""

    def codes(self, list_id: str) -> Mapping[str, str]:
        """Code to name of a code list."""
        ...

    def region(self, code: str) -> str | None:
        """None when the division code is valid, else `unknown` or `withdrawn`."""
        ...

    def industry(self, code: str) -> bool:
        """True when the code is in GB/T 4754."""
        ...


def _plain(code: str, **params: str) -> tuple[str, Params]:
    return code, params


class _ValueChecks:
    """One function per kind: None when the value is right, else code and parameters."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.by_kind: dict[Kind, Callable[[Element, str], Verdict]] = {
            Kind.CODE: self._code,
            Kind.DATE: self._date,
            Kind.DATETIME: self._datetime,
            Kind.DECIMAL: self._decimal,
            Kind.INT: self._int,
            Kind.USCC: self._uscc,
            Kind.ID_NUMBER: self._id_number,
            Kind.REG_NO: self._reg_no,
            Kind.ORG_CODE: self._org_code,
            Kind.REGION: self._region,
            Kind.INDUSTRY: self._industry,
            Kind.ITEM: self._item,
            Kind.MAIN_ITEM: self._main_item,
            Kind.INVENTORY: self._inventory,
            Kind.JSON: self._json,
            Kind.LIST: self._list,
        }

    def _code(self, element: Element, value: str) -> Verdict:
        names = self.vocabulary.codes(element.list or "")
        if value in names:
            return None
        return _plain("10005.list", list=element.list or "", expected=_some(names))

    def _date(self, element: Element, value: str) -> Verdict:
        if _DATE.fullmatch(value):
            try:
                date.fromisoformat(value)
            except ValueError:
                return _plain("10004.date", expected="YYYY-MM-DD")
            return None
        return _plain("10004.date", expected="YYYY-MM-DD")

    def _datetime(self, element: Element, value: str) -> Verdict:
        if _DATETIME.fullmatch(value):
            try:
                datetime.fromisoformat(value)
            except ValueError:
                return _plain("10004.datetime", expected="YYYY-MM-DD HH:MM:SS")
            return None
        return _plain("10004.datetime", expected="YYYY-MM-DD HH:MM:SS")

    def _decimal(self, element: Element, value: str) -> Verdict:
        if not _DECIMAL.fullmatch(value):
            return _plain("10004.decimal")
        whole, _, fraction = value.lstrip("-").partition(".")
        scale = element.scale or 0
        if len(fraction) > scale:
            return _plain("10004.scale", expected=str(scale))
        if len(whole) > (element.max or 0) - scale:
            return _plain("10010", max=str((element.max or 0) - scale))
        return None

    def _int(self, element: Element, value: str) -> Verdict:
        if not _INT.fullmatch(value):
            return _plain("10004.int")
        if element.max and len(value.lstrip("-")) > element.max:
            return _plain("10010", max=str(element.max))
        return None

    def _uscc(self, element: Element, value: str) -> Verdict:
        return _identifier(identifiers.check_uscc(value), "uscc")

    def _id_number(self, element: Element, value: str) -> Verdict:
        return _identifier(identifiers.check_id_number(value), "id_number")

    def _reg_no(self, element: Element, value: str) -> Verdict:
        return _identifier(identifiers.check_reg_no(value), "reg_no")

    def _org_code(self, element: Element, value: str) -> Verdict:
        return _identifier(identifiers.check_org_code(value), "org_code")

    def _region(self, element: Element, value: str) -> Verdict:
        if len(value) != 6 or not value.isdigit():
            return _plain("10004.region")
        state = self.vocabulary.region(value)
        if state is None:
            return None
        return _plain("10005.region_withdrawn" if state == "withdrawn" else "10005.region")

    def _industry(self, element: Element, value: str) -> Verdict:
        return None if self.vocabulary.industry(value) else _plain("10005.industry")

    def _item(self, element: Element, value: str) -> Verdict:
        return None if len(value) == 14 and value.isascii() and value.isdigit() else _plain("10004.item")

    def _main_item(self, element: Element, value: str) -> Verdict:
        return None if len(value) == 8 and value.isascii() and value.isdigit() else _plain("10004.main_item")

    def _inventory(self, element: Element, value: str) -> Verdict:
        if len(value) < 19 or value[18] not in "12345":
            return _plain("10004.inventory")
        return _identifier(identifiers.check_uscc(value[:18]), "uscc")

    def _json(self, element: Element, value: str) -> Verdict:
        try:
            msgspec.json.decode(value)
        except (msgspec.DecodeError, RecursionError):
            return _plain("10004.json")
        return None

    def _list(self, element: Element, value: str) -> Verdict:
        held = value.split(";")
        if "" in held:
            return _plain("10004.list")
        if element.min_items and len(held) < element.min_items:
            return _plain("10004.items", expected=str(element.min_items), found=str(len(held)))
        check = self.by_kind.get(element.of or Kind.TEXT)
        if check is None:
            return None
        for item in held:
            if wrong := check(element, item):
                return wrong[0], {**wrong[1], "item": item}
        return None

    def identified(self, certificate: str, value: str) -> Verdict:
        """A number that is checked by the kind of certificate it belongs to (DOMAIN 1.6, GA/T 2000.156)."""
        match certificate:
            case "001":
                return _identifier(identifiers.check_uscc(value), "uscc")
            case "002":
                return _identifier(identifiers.check_org_code(value), "org_code")
            case "003":
                return _identifier(identifiers.check_reg_no(value), "reg_no")
            case "111" | "112":
                return _identifier(identifiers.check_id_number(value), "id_number")
        return None


def _identifier(reason: str | None, kind: str) -> Verdict:
    if reason is None:
        return None
    return _plain(f"10004.{kind}" if reason == "format" else f"10006.{reason}")


def _some(names: Mapping[str, str]) -> str:
    shown = [f"{code} {name}" if code != name else code for code, name in list(names.items())[:8]]
    return "、".join(shown) + (" …" if len(names) > 8 else "")


class _ElementCheck:
    """Everything that is said of one element alone."""

    __slots__ = ("_bad", "_check", "_good", "element", "limit", "must", "pattern", "textual")

    def __init__(self, element: Element, check: Callable[[Element, str], Verdict] | None, must: bool) -> None:
        self.element = element
        self.must = must
        self._check = check
        self.textual = check is None or element.type is Kind.LIST
        #: Other kinds say of a value that is too long that it is none of theirs.
        self.limit = element.max if element.type in (Kind.TEXT, Kind.LONGTEXT, Kind.LIST, Kind.JSON) else None
        self.pattern = re.compile(element.pattern) if element.pattern else None
        self._good: set[str] = {"", UNREADABLE}
        self._bad: dict[str, tuple[str, Params]] = {}

    def run(self, column: list[str], clean: bool, faults: list[Fault]) -> None:
        """Append what is wrong with this column."""
        name = self.element.id
        if self.must and "" in column:
            faults.extend(Fault(i, name, "10001", "", {}) for i, v in enumerate(column) if not v)
        if self.limit is not None and max(map(len, column), default=0) > self.limit:
            limit = self.limit
            faults.extend(
                Fault(i, name, "10003", v, {"max": str(limit), "length": str(len(v))})
                for i, v in enumerate(column)
                if len(v) > limit
            )
        if self._check is not None:
            self._values(column, self._check, faults)
        if self.pattern is not None:
            self._pattern(column, self.pattern, faults)
        if self.textual and not clean:
            self._characters(column, faults)

    def _pattern(self, column: list[str], pattern: re.Pattern[str], faults: list[Fault]) -> None:
        wrong = {v for v in set(column) if v and v != UNREADABLE and not pattern.fullmatch(v)}
        if wrong:
            name = self.element.id
            faults.extend(Fault(i, name, "10004.pattern", v, {}) for i, v in enumerate(column) if v in wrong)

    def _values(self, column: list[str], check: Callable[[Element, str], Verdict], faults: list[Fault]) -> None:
        new = set(column)
        new -= self._good
        if not new:
            return
        bad = self._bad
        hit = False
        for value in new:
            if value not in bad:
                wrong = check(self.element, value)
                if wrong is None:
                    self._good.add(value)
                    continue
                bad[value] = wrong
            hit = True
        if hit:
            name = self.element.id
            faults.extend(Fault(i, name, bad[v][0], v, bad[v][1]) for i, v in enumerate(column) if v in bad)
        if len(self._good) > _REMEMBERED:
            self._good = {"", UNREADABLE}
        if len(bad) > _REMEMBERED:
            self._bad = {}

    def _characters(self, column: list[str], faults: list[Fault]) -> None:
        if _SUSPICIOUS.search("\n".join(column)) is None:
            return
        name = self.element.id
        for i, value in enumerate(column):
            if value == UNREADABLE:
                continue
            if _UNSEEN.search(value):
                faults.append(Fault(i, name, "10004.control", value, {}))
            if found := private_use.places(value):
                # What stands in a person's name is not told.
                near = "" if self.element.personal else private_use.meant(value)
                faults.append(Fault(i, name, "10004.private_use", value, {"found": found, "near": near}))


class _Condition:
    """A rule, a condition or a group as a function over columns: the rows where it is true."""

    def __init__(self, text: str, known: Iterable[str]) -> None:
        expression = parse(text, known)
        self.names = expression.names
        variables = {name: f"v{i}" for i, name in enumerate(expression.names)}
        arguments = ", ".join(variables.values()) + ("," if len(variables) == 1 else "")
        columns = "zip(" + ", ".join(f"c[{i}]" for i in range(len(variables))) + ")" if variables else "c"
        self.source = f"lambda c: [i for i, ({arguments}) in enumerate({columns}) if {expression.source(variables)}]"
        namespace = {"__builtins__": {}, "zip": zip, "enumerate": enumerate, **SUPPORT, **FUNCTIONS}
        self._all: Callable[[list[list[str]]], list[int]] = eval(self.source, namespace)  # noqa: S307 - checked tree
        self._one = expression.function()

    def rows(self, columns: list[list[str]]) -> list[int]:
        """The rows where it is true; a row whose values it cannot be asked of counts as false."""
        try:
            return self._all(columns)
        except (TypeError, ValueError):
            return [i for i, values in enumerate(zip(*columns, strict=True)) if self._holds(values)]

    def _holds(self, values: tuple[str, ...]) -> bool:
        try:
            return bool(self._one(*values))
        except (TypeError, ValueError):
            return False


class Checker:
    """Finds all faults of records of one data set.

    `demand` says whose elements must be there: at a hub's door only the sender's, at a receiver everything.
    An element with a finding is left out of the rules, unless its code is one of `mild`.
    Not shared between threads: it remembers values.
    """

    def __init__(
        self,
        dataset: DataSet,
        vocabulary: Vocabulary,
        demand: frozenset[FilledBy] = frozenset({FilledBy.SENDER}),
        common: Sequence[Element] = (),
        mild: frozenset[str] = frozenset(),
    ) -> None:
        self.dataset = dataset
        self._mild = mild
        self._values = _ValueChecks(vocabulary)
        elements = [*common, *dataset.elements]
        ids = [e.id for e in elements]
        self.elements = {e.id: e for e in elements}
        self._order = {name: i for i, name in enumerate(ids)}
        self._alone = [
            _ElementCheck(e, self._values.by_kind.get(e.type), must=e.need == "must" and e.filled_by in demand)
            for e in elements
        ]
        self._future = [e.id for e in elements if e.not_future]
        self._identified = [(e.id, e.identified_by) for e in elements if e.identified_by]
        self._identified_good: set[tuple[str, str]] = set()
        self._needed = [
            (_Condition(e.when, ids), e)
            for e in elements
            if e.when is not None and e.group is None and e.filled_by in demand
        ]
        self._groups = self._build_groups([e for e in elements if e.group and e.filled_by in demand], ids)
        self._rules: list[tuple[_Condition, Rule]] = [(_Condition(r.when, ids), r) for r in dataset.rules]

    @staticmethod
    def _build_groups(members: list[Element], ids: list[str]) -> list[tuple[_Condition, list[Element]]]:
        groups: dict[str, list[Element]] = {}
        for element in members:
            groups.setdefault(str(element.group), []).append(element)
        result = []
        for held in groups.values():
            all_empty = " and ".join(f"empty({e.id})" for e in held)
            conditions = sorted({f"({e.when})" for e in held if e.when})
            text = f"({' or '.join(conditions)}) and {all_empty}" if conditions else all_empty
            result.append((_Condition(text, ids), held))
        return result

    def check(self, columns: Mapping[str, list[str]], count: int, today: str, *, clean: bool = False) -> list[Fault]:
        """All faults of `count` records, by row and then by the data set's order.

        `columns` holds canonical text per element ('' where absent, UNREADABLE where a fault was told already);
        an element that is missing from `columns` counts as absent.  `today` is YYYY-MM-DD; `clean` promises that
        no value holds control, invisible or private-use characters.
        """
        faults: list[Fault] = []
        absent = [""] * count
        for one in self._alone:
            one.run(columns.get(one.element.id, absent), clean, faults)
        for name in self._future:
            column = columns.get(name, absent)
            if max(column, default="")[:10] > today:
                faults.extend(
                    Fault(i, name, "10007.future", v, {"today": today})
                    for i, v in enumerate(column)
                    if v[:10] > today and _DATE.match(v)
                )
        for name, certificate in self._identified:
            self._check_identified(name, columns.get(name, absent), columns.get(str(certificate), absent), faults)
        told = {(fault.row, fault.element) for fault in faults if fault.code not in self._mild}
        for condition, element in self._needed:
            column = columns.get(element.id, absent)
            if "" not in column:
                continue
            for row in self._true_rows(condition, columns, absent):
                if not column[row] and (row, element.id) not in told:
                    told.add((row, element.id))
                    faults.append(Fault(row, element.id, "10002", "", {"when": element.when or ""}))
        for condition, held in self._groups:
            names = "、".join(e.title for e in held)
            for row in self._true_rows(condition, columns, absent):
                faults.append(Fault(row, held[0].id, "10008", "", {"group": names}))
        for condition, rule in self._rules:
            for row in self._true_rows(condition, columns, absent):
                if any((row, name) in told for name in rule.elements) or self._hides(rule, columns, row):
                    continue
                first = rule.elements[0]
                value = columns.get(first, absent)[row]
                faults.append(Fault(row, first, rule.code, value, {"rule": rule.id}))
        faults.sort(key=lambda fault: (fault.row, self._order.get(fault.element, 0)))
        return faults

    @staticmethod
    def _true_rows(condition: _Condition, columns: Mapping[str, list[str]], absent: list[str]) -> list[int]:
        return condition.rows([columns.get(name, absent) for name in condition.names])

    @staticmethod
    def _hides(rule: Rule, columns: Mapping[str, list[str]], row: int) -> bool:
        """True when an element of the rule could not be read: what it would say is not known."""
        return any(name in columns and columns[name][row] == UNREADABLE for name in rule.elements)

    def _check_identified(self, name: str, numbers: list[str], certificates: list[str], faults: list[Fault]) -> None:
        new = set(zip(certificates, numbers, strict=True)) - self._identified_good
        bad: dict[tuple[str, str], tuple[str, Params]] = {}
        for pair in new:
            wrong = None
            if pair[1] and UNREADABLE not in pair:
                wrong = self._values.identified(*pair)
            if wrong is None:
                self._identified_good.add(pair)
            else:
                bad[pair] = wrong
        if bad:
            faults.extend(
                Fault(i, name, bad[pair][0], pair[1], bad[pair][1])
                for i, pair in enumerate(zip(certificates, numbers, strict=True))
                if pair in bad
            )
        if len(self._identified_good) > _REMEMBERED:
            self._identified_good = set()

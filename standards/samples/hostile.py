"""Hostile records: valid ones with exactly one fault, and the finding that must name it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from standards.findings import catalogue
from standards.identifiers import USCC_ALPHABET, org_check_character, uscc_check_character
from standards.model import DataSet, Element, Kind, Severity
from standards.registry import Standard
from standards.samples.valid import Constraint, Record, Samples

#: How many valid records a fault is tried on before it is given up.
_TRIES = 40
#: From how many valid records a search for a broken condition starts.
_SEARCHES = 5


@dataclass(frozen=True)
class Hostile:
    """A record and what must be found in it."""

    record: Record
    code: str
    element: str
    #: The rule that is broken, if the fault is one of a rule.
    rule: str = ""


def hostile_records(dataset: DataSet, standard: Standard, seed: int = 1) -> list[Hostile]:
    """One record for every way in which a single element or a single condition can be wrong.

    A fault that cannot be made without another one is left out.
    """
    samples = Samples(dataset, standard, seed)
    bases = [samples.one() for _ in range(_TRIES)]
    found = []
    for element in samples.filled:
        for code, spoil in _spoilers(element, samples):
            hostile = _spoilt(samples, bases, element, code, spoil)
            if hostile is not None:
                found.append(hostile)
    for constraint in samples.constraints:
        hostile = _broken(samples, bases, constraint)
        if hostile is not None:
            found.append(hostile)
    return found


Spoil = Callable[[str], str | None]


def _spoilt(samples: Samples, bases: list[Record], element: Element, code: str, spoil: Spoil) -> Hostile | None:
    for base in bases:
        record = dict(base)
        if not record.get(element.id) and code != "10001":
            record[element.id] = samples.value(element, record)
        if not _fits_certificate(element, record, code):
            continue
        bad = spoil(record.get(element.id, ""))
        if bad is None:
            continue
        if bad:
            record[element.id] = bad
        else:
            record.pop(element.id, None)
        # A checker says nothing of rules over an element that is wrong already; a mere warning leaves them in force.
        mild = catalogue().severity(code) is Severity.WARNING
        others = [c for c in samples.broken(record) if mild or c.kind != "rule" or element.id not in c.names]
        identified = [e for e in samples.filled if e.identified_by == element.id and e.id in record]
        if not others and not (identified and code == "10001"):
            return Hostile(record, code, element.id)
    return None


def _fits_certificate(element: Element, record: Record, code: str) -> bool:
    """Whether the number of this record is checked by the algorithm whose fault is wanted."""
    if element.identified_by is None or "." not in code:
        return True
    certificate = record.get(element.identified_by, "")
    wanted = {"uscc": ("001",), "id_number": ("111", "112"), "org_code": ("002",), "reg_no": ("003",)}
    for word, certificates in wanted.items():
        if code.endswith(word):
            return certificate in certificates
    return certificate not in ("001", "002", "003", "111", "112")


def _broken(samples: Samples, bases: list[Record], constraint: Constraint) -> Hostile | None:
    for base in bases[:_SEARCHES]:
        record = samples.settle(base, (constraint,), steps=1500)
        if record is not None:
            rule = constraint.name if constraint.kind == "rule" else ""
            return Hostile(record, constraint.code, constraint.element, rule)
    return None


def _spoilers(element: Element, samples: Samples) -> Iterator[tuple[str, Spoil]]:
    """The ways one element can be wrong by itself: finding code, and what makes a good value bad."""
    if element.need == "must" and element in samples.demanded:
        yield "10001", lambda _good: ""
    if element.identified_by is not None:
        yield from _IDENTIFIERS
    elif element.pattern is not None:
        yield "10004.pattern", lambda good: good[:-1] + "?"
    elif element.type is Kind.LIST:
        yield from _of_list(element)
    else:
        yield from _BY_KIND.get(element.type, ())
    if element.type in (Kind.TEXT, Kind.LONGTEXT) and element.identified_by is None and element.pattern is None:
        limit = element.max or 0
        yield "10003", lambda _good: "长" * (limit + 1)
        yield "10004.control", lambda good: good[: limit - 1] + "\x07"
        yield "10004.private_use", lambda good: good[: limit - 1] + "\ue000"
    if element.type is Kind.DECIMAL:
        whole, scale = (element.max or 0) - (element.scale or 0), element.scale or 0
        yield "10004.scale", lambda _good: "20." + "1" * (scale + 1)
        yield "10010", lambda _good: "9" * (whole + 1) + ("." + "0" * scale if scale else "")
    if element.type is Kind.INT and element.max:
        most = element.max
        yield "10010", lambda _good: "9" * (most + 1)
    if element.not_future:
        yield "10007.future", lambda good: "2098" + good[4:7] + "-01" + good[10:]


def _of_list(element: Element) -> Iterator[tuple[str, Spoil]]:
    yield "10004.list", lambda good: f"{good};;{good.partition(';')[0]}"[: element.max]
    if element.min_items:
        yield "10004.items", lambda good: good.partition(";")[0]
    for code, spoil in _BY_KIND.get(element.of or Kind.TEXT, ()):
        yield code, _in_list(spoil)


def _in_list(spoil: Spoil) -> Spoil:
    """Spoil the last item."""

    def spoil_last(good: str) -> str | None:
        before, semicolon, last = good.rpartition(";")
        bad = spoil(last)
        return None if bad is None else before + semicolon + bad

    return spoil_last


def _wrong_check(good: str) -> str:
    """Another check character of the same alphabet."""
    digits = good[-1].isdigit()
    return good[:-1] + ("0123456789"[(int(good[-1]) + 1) % 10] if digits else "0")


def _wrong_uscc(good: str) -> str:
    position = USCC_ALPHABET.index(good[-1])
    return good[:-1] + USCC_ALPHABET[(position + 1) % len(USCC_ALPHABET)]


def _wrong_inner(good: str) -> str | None:
    """A credit code whose own check is right and whose organisation code is wrong."""
    for letter in "0123456789":
        if org_check_character(good[8:16]) != letter:
            body = good[:16] + letter
            return body + str(uscc_check_character(body))
    return None


def _wrong_id(good: str) -> str:
    return good[:-1] + ("1" if good[-1] != "1" else "2")


_USCC: tuple[tuple[str, Spoil], ...] = (
    ("10004.uscc", lambda good: good[:10]),
    ("10006.uscc", _wrong_uscc),
    ("10006.uscc_inner", _wrong_inner),
)
_IDENTIFIERS: tuple[tuple[str, Spoil], ...] = (
    ("10004.uscc", lambda good: good[:10]),
    ("10006.uscc", _wrong_uscc),
    ("10004.id_number", lambda good: good[:10]),
    ("10006.id_number", _wrong_id),
)
_BY_KIND: dict[Kind, tuple[tuple[str, Spoil], ...]] = {
    Kind.CODE: (("10005.list", lambda _good: "?"),),
    Kind.DATE: (("10004.date", lambda good: good[:4] + "-02-30"),),
    Kind.DATETIME: (("10004.datetime", lambda good: good[:4] + "-02-30 09:00:00"),),
    Kind.DECIMAL: (("10004.decimal", lambda good: good + "元"),),
    Kind.INT: (("10004.int", lambda good: good + ".5"),),
    Kind.USCC: _USCC,
    Kind.REG_NO: (("10004.reg_no", lambda good: good[:13]), ("10006.reg_no", _wrong_check)),
    Kind.ORG_CODE: (("10004.org_code", lambda good: good[:7]), ("10006.org_code", _wrong_check)),
    Kind.REGION: (
        ("10004.region", lambda _good: "宁波"),
        ("10005.region", lambda _good: "990000"),
        ("10005.region_withdrawn", lambda _good: "110103"),
    ),
    Kind.INDUSTRY: (("10005.industry", lambda _good: "Z9999"),),
    Kind.ITEM: (("10004.item", lambda good: good[:8]),),
    Kind.MAIN_ITEM: (("10004.main_item", lambda good: good[:7]),),
    Kind.INVENTORY: (("10004.inventory", lambda good: good[:18] + "9" + good[19:]),),
    Kind.JSON: (("10004.json", lambda _good: '{"name": '),),
}

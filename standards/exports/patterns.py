"""The form of a value as a regular expression that JSON Schema, XSD and Python read alike.

No anchors, no look-ahead, `[0-9]` instead of \\d (which means other digits too elsewhere), plain groups.
Only what stops a record is in the form; what is a mere warning is let pass.
"""

from __future__ import annotations

from standards.findings import catalogue
from standards.model import Element, Kind, Severity
from standards.registry import Standard

_LEAP_YEAR = "([0-9][0-9](0[48]|[2468][048]|[13579][26])|([02468][048]|[13579][26])00)"
DATE = (
    "([0-9]{4}-((0[13578]|1[02])-(0[1-9]|[12][0-9]|3[01])|(0[469]|11)-(0[1-9]|[12][0-9]|30)|02-(0[1-9]|1[0-9]|2[0-8]))"
    f"|{_LEAP_YEAR}-02-29)"
)
TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
USCC = "[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}"

_FORMS: dict[Kind, tuple[str, str]] = {
    Kind.DATE: (DATE, "10004.date"),
    Kind.DATETIME: (f"{DATE} {TIME}", "10004.datetime"),
    Kind.USCC: (USCC, "10004.uscc"),
    Kind.ID_NUMBER: ("[0-9]{17}[0-9X]", "10004.id_number"),
    Kind.REG_NO: ("[0-9]{15}", "10004.reg_no"),
    Kind.ORG_CODE: ("[0-9A-Z]{8}[0-9X]", "10004.org_code"),
    Kind.REGION: ("[0-9]{6}", "10004.region"),
    Kind.INDUSTRY: ("[A-T]|[A-T]?[0-9]{2,4}", "10005.industry"),
    Kind.ITEM: ("[0-9]{14}", "10004.item"),
    Kind.MAIN_ITEM: ("[0-9]{8}", "10004.main_item"),
    Kind.INVENTORY: (f"{USCC}[1-5].*", "10004.inventory"),
}
_SPECIAL = frozenset(".\\?*+{}()[]|^")


def literal(text: str) -> str:
    """The text itself as a pattern."""
    return "".join(f"\\{c}" if c in _SPECIAL else c for c in text)


def form(element: Element, standard: Standard) -> str | None:
    """The pattern a given value must match as a whole, or None where only its length counts."""
    if element.pattern is not None:
        return neutral(element.pattern)
    if element.type is Kind.LIST:
        item = _item(element, standard)
        least = (element.min_items or 1) - 1
        more = f"{{{least},}}" if least else "*"
        return f"({item})(;({item})){more}"
    return _one(element, element.type)


def _one(element: Element, kind: Kind) -> str | None:
    if kind is Kind.DECIMAL:
        whole, scale = (element.max or 0) - (element.scale or 0), element.scale or 0
        fraction = f"(\\.[0-9]{{1,{scale}}})?" if scale else ""
        return f"-?(0|[1-9][0-9]{{0,{max(whole - 1, 0)}}}){fraction}"
    if kind is Kind.INT:
        return f"-?(0|[1-9][0-9]{{0,{(element.max or 20) - 1}}})"
    found = _FORMS.get(kind)
    if found is None or catalogue().severity(found[1]) is not Severity.ERROR:
        return None
    return found[0]


def _item(element: Element, standard: Standard) -> str:
    """What one item of a list looks like."""
    kind = element.of or Kind.TEXT
    if kind is Kind.CODE:
        return "|".join(literal(code) for code in standard.codes(element.list or ""))
    found = _one(element, kind)
    return "[^;]+" if found is None else found.replace(".*", "[^;]*")


def neutral(pattern: str) -> str:
    """A pattern of the standard in the common language of all exports."""
    return pattern.replace("\\d", "[0-9]").replace("(?:", "(")

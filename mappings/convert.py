"""From what a sender writes to the canonical text of an element, by kind.  Pure; one value in, one value out.

A conversion never guesses: what it cannot read is `Wrong` and becomes a finding of its record.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal, InvalidOperation

from standards.identifiers import upgrade_id_number
from standards.model import Element, Kind


class Wrong(Exception):
    """The value cannot be read as the element; carries the finding's code and parameters."""

    def __init__(self, code: str, **params: str) -> None:
        super().__init__(code)
        self.code = code
        self.params: Mapping[str, str] = params


Convert = Callable[[str], str]

_UNITS = {
    "元": Decimal(1),
    "千元": Decimal(1000),
    "万元": Decimal(10_000),
    "百万元": Decimal(1_000_000),
    "亿元": Decimal(100_000_000),
}
OPEN_END = "2099-12-31"
_OPEN_WORDS = {"长期", "永久", "长期有效", "永久有效", "无固定期限"}
_DATE_PARTS = re.compile(
    r"^(?P<y>\d{4})\s*[-/.年]\s*(?P<m>\d{1,2})\s*[-/.月]\s*(?P<d>\d{1,2})\s*日?"
    r"(?:(?:[T\s]\s*|(?<=日))(?P<H>\d{1,2})[:时](?P<M>\d{1,2})(?:[:分](?P<S>\d{1,2})(?:\.\d+)?秒?|分)?"
    r"\s*(?:Z|\+08:?00)?)?$"
)
_DATE_DIGITS = re.compile(r"^(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)(?:(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d))?$")
_FLOAT = re.compile(r"^-?\d(\.\d+)?[eE]\+?\d+$")
_NUMBER = re.compile(r"^[-+]?(\d+(\.\d*)?|\.\d+)$")
_EXCEL_DAY_ZERO = date(1899, 12, 30)
_EXACT = Context(prec=60)


def narrow(value: str) -> str:
    """Full-width letters, digits and signs as the plain ones."""
    return value if value.isascii() else unicodedata.normalize("NFKC", value)


def tidy(value: str) -> str:
    """One line of text without blanks around it."""
    value = value.strip()
    return " ".join(value.split()) if "\n" in value or "\r" in value or "\t" in value else value


def tidy_lines(value: str) -> str:
    """Text of several lines: one kind of line break, no blanks around it."""
    return value.replace("\r\n", "\n").replace("\r", "\n").strip()


def as_date(value: str, formats: tuple[str, ...] = (), *, open_end: bool = False) -> str:
    """A date as YYYY-MM-DD."""
    parsed = _parse_date(value, formats, open_end)
    return parsed if len(parsed) == 10 else parsed[:10]


def as_datetime(value: str, formats: tuple[str, ...] = (), *, open_end: bool = False) -> str:
    """A point in time as YYYY-MM-DD HH:MM:SS; a mere date is its midnight."""
    parsed = _parse_date(value, formats, open_end)
    return parsed if len(parsed) == 19 else f"{parsed} 00:00:00"


def _parse_date(value: str, formats: tuple[str, ...], open_end: bool) -> str:
    text = narrow(tidy(value))
    if open_end and (text in _OPEN_WORDS or text.startswith(("9999", "2099"))):
        return OPEN_END
    for form in formats or ("auto",):
        if form == "auto":
            found = _DATE_PARTS.match(text) or _DATE_DIGITS.match(text)
            if found and (result := _date_text(found)):
                return result
        elif form == "excel":
            if re.fullmatch(r"\d{1,6}(\.\d+)?", text) and (result := _excel_day(text)):
                return result
        else:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 - local times of the sender, as the standard has it
            except ValueError:
                continue
            return moment.isoformat(" ", "seconds") if "%H" in form else moment.date().isoformat()
    raise Wrong("10004.date", expected=_expected_dates(formats))


def _expected_dates(formats: tuple[str, ...]) -> str:
    shown = {"auto": "2026-03-31、2026/3/31、2026年3月31日、20260331", "excel": "Excel 日期序号"}
    return "、".join(shown.get(form, form) for form in formats or ("auto",))


def _date_text(found: re.Match[str]) -> str | None:
    try:
        day = date(int(found["y"]), int(found["m"]), int(found["d"]))
    except ValueError:
        return None
    if found["H"] is None:
        return day.isoformat()
    hour, minute, second = int(found["H"]), int(found["M"]), int(found["S"] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return f"{day.isoformat()} {hour:02}:{minute:02}:{second:02}"


def _excel_day(text: str) -> str | None:
    number = Decimal(text)
    if not 1 <= number < 200_000:
        return None
    day = _EXCEL_DAY_ZERO + timedelta(days=int(number))
    seconds = int(((number % 1) * 86400).to_integral_value(ROUND_HALF_UP))
    if not seconds:
        return day.isoformat()
    moment = datetime(day.year, day.month, day.day) + timedelta(seconds=seconds)  # noqa: DTZ001
    return moment.isoformat(" ", "seconds")


def _plain_number(value: str) -> str:
    text = narrow(value).replace(",", "").replace(" ", "").replace("\xa0", "")
    return text.removeprefix("¥").removeprefix("￥").removeprefix("RMB")


def as_decimal(value: str, scale: int, factor: Decimal = Decimal(1), suffixes: tuple[str, ...] = ()) -> str:
    """A number with exactly `scale` digits after the point, multiplied by `factor`; nothing is rounded."""
    text = _plain_number(value)
    for suffix in suffixes:
        text = text.removesuffix(suffix)
    if _FLOAT.match(text) and len(text.partition("e")[0]) < 18:
        text = format(Decimal(text), "f")
    if not _NUMBER.match(text) or len(text) > 50:
        raise Wrong("10004.decimal")
    try:
        number = _EXACT.multiply(Decimal(text), factor)
        fixed = number.quantize(Decimal(1).scaleb(-scale), context=_EXACT)
    except InvalidOperation:
        raise Wrong("10004.decimal") from None
    if fixed != number:
        raise Wrong("10004.scale", expected=str(scale))
    return format(abs(fixed) if fixed == 0 else fixed, "f")


def as_int(value: str) -> str:
    """A whole number."""
    text = _plain_number(value)
    if _FLOAT.match(text):
        raise Wrong("10004.number_as_float")
    whole, _, fraction = text.partition(".")
    if not re.fullmatch(r"[-+]?\d{1,40}", whole) or fraction.strip("0"):
        raise Wrong("10004.int")
    return str(int(whole))


def as_identifier(value: str) -> str:
    """A credit code, registration number …: no blanks, plain capitals; the digits stay what they are."""
    text = "".join(narrow(value).split()).upper()
    if _FLOAT.match(text):
        raise Wrong("10004.number_as_float")
    return text


def as_org_code(value: str) -> str:
    """An organisation code without its hyphen."""
    return as_identifier(value).replace("-", "")


def as_id_number(value: str) -> str:
    """An identity number; the 15 digits of before 1999 become 18 (GB 11643-1999)."""
    text = as_identifier(value)
    return upgrade_id_number(text) or text


def as_code(value: str) -> str:
    """A code: no blanks around it, plain letters and digits."""
    return narrow(tidy(value))


@dataclass(slots=True)
class CodeWords:
    """How words become codes: the operator's answers, the system's crosswalk, then the standard's codes and names."""

    name: str
    answers: Mapping[str, str] = field(default_factory=dict)
    crosswalk: Mapping[str, str] = field(default_factory=dict)
    #: Codes of the standard's list; None where any target is allowed.
    codes: Mapping[str, str] | None = None
    by_name: Mapping[str, str] = field(default_factory=dict)
    unknown: str = "finding"

    def __call__(self, value: str) -> str:
        """The code of a word; Wrong 10005.crosswalk when nobody has said what it means."""
        word = tidy(value)
        for table in (self.answers, self.crosswalk):
            if (code := table.get(word)) is not None:
                return code
        plain = narrow(word)
        if self.codes is not None and plain in self.codes:
            return plain
        if (code := self.crosswalk.get(plain) or self.by_name.get(plain) or self.by_name.get(word)) is not None:
            return code
        if self.unknown == "keep":
            return word
        if self.unknown == "empty":
            return ""
        if self.crosswalk or self.answers or self.codes is None:
            raise Wrong("10005.crosswalk", crosswalk=self.name)
        shown = [f"{c} {n}" if c != n else c for c, n in list(self.codes.items())[:8]]
        more = " …" if len(self.codes) > 8 else ""
        raise Wrong("10005.list", expected="、".join(shown) + more, list=self.name)


def factor_of(unit: str | None, to: str | None) -> Decimal:
    """What an amount in `unit` is multiplied by to be in `to`."""
    return _UNITS[unit] / _UNITS[to] if unit and to else Decimal(1)


def for_kind(
    kind: Kind,
    element: Element,
    *,
    formats: tuple[str, ...] = (),
    open_end: bool = False,
    unit: str | None = None,
    to: str | None = None,
    words: CodeWords | None = None,
) -> Convert:
    """The conversion of one value (or one item of a list) to a kind."""
    if words is not None:
        return words
    match kind:
        case Kind.DATE:
            return lambda v: as_date(v, formats, open_end=open_end)
        case Kind.DATETIME:
            return lambda v: as_datetime(v, formats, open_end=open_end)
        case Kind.DECIMAL:
            scale, factor = element.scale or 0, factor_of(unit, to)
            suffixes = (unit, "元") if unit else ("元",)
            return lambda v: as_decimal(v, scale, factor, suffixes)
        case Kind.INT:
            return as_int
        case Kind.USCC | Kind.REG_NO | Kind.INVENTORY:
            return as_identifier
        case Kind.ORG_CODE:
            return as_org_code
        case Kind.ID_NUMBER:
            return as_id_number
        case Kind.CODE | Kind.REGION | Kind.INDUSTRY | Kind.ITEM | Kind.MAIN_ITEM:
            return as_code
        case Kind.LONGTEXT | Kind.JSON:
            return tidy_lines
    return as_identifier if element.identified_by else tidy

"""What is done to one value on its way into an element: null words, pieces, pattern, list, code, kind, padding."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from mappings.convert import CodeWords, Convert, Wrong, for_kind, narrow
from mappings.grammar import ElementSpec
from standards.checker import UNREADABLE
from standards.model import Element, Kind

#: Words that mean "nothing" in every system: left behind by programs, never meant by people.
ALWAYS_NULL = frozenset({"null", "NULL", "Null", "undefined", "None", "NaN", "nan"})

_REMEMBERED = 20_000
#: What Excel leaves in a cell whose formula failed, or whose column is too narrow for a date.
_EXCEL_ERRORS = frozenset({"#VALUE!", "#REF!", "#N/A", "#DIV/0!", "#NAME?", "#NUM!", "#NULL!", "########"})
_SIMPLE_TEXT = (Kind.TEXT, Kind.LONGTEXT)


@dataclass(frozen=True, slots=True)
class Steps:
    """The steps of one element as one function."""

    convert: Convert
    #: True when values repeat enough to be worth remembering (codes, dates, amounts); free text is not.
    remember: bool


def steps_of(element: Element, spec: ElementSpec, nulls: frozenset[str], crosswalk: CodeWords | None) -> Steps:
    """Compile the steps of one element."""
    nothing = ALWAYS_NULL | nulls | frozenset(spec.nulls)
    inner = for_kind(
        element.of or Kind.TEXT if element.type is Kind.LIST else element.type,
        element,
        formats=spec.date,
        open_end=spec.open_end,
        unit=spec.unit,
        to=spec.to,
        words=crosswalk,
    )
    pattern = re.compile(spec.pattern) if spec.pattern else None
    separators = re.compile("|".join(re.escape(s) for s in spec.split or (";", "；")))
    is_list = element.type is Kind.LIST
    # A code that is named twice is named once; two inspectors may well have the same name.
    distinct = element.of not in (Kind.TEXT, None)
    replacements = tuple(spec.replace.items())
    default = spec.default or ""

    def convert(value: str) -> str:
        text = value.strip()
        if not text or text in nothing:
            return default
        for old, new in replacements:
            text = text.replace(old, new)
        if pattern is not None:
            text = _matched(pattern, text, spec)
            if not text:
                return default
        if is_list:
            text = _items(separators, text, inner, nothing, distinct=distinct)
        else:
            text = inner(text)
        if spec.upper:
            text = text.upper()
        if spec.pad is not None and text:
            width, fill = spec.pad.width, spec.pad.fill
            text = text.rjust(width, fill) if spec.pad.side == "left" else text.ljust(width, fill)
        return text or default

    return Steps(convert, remember=element.type not in _SIMPLE_TEXT or crosswalk is not None)


def _matched(pattern: re.Pattern[str], text: str, spec: ElementSpec) -> str:
    if spec.every is not None:
        found_all = [m.group(1) if pattern.groups else m.group(0) for m in pattern.finditer(text)]
        if found_all:
            return spec.every.join(found_all)
    elif found := pattern.search(text):
        return (found.group(1) if pattern.groups else found.group(0)) or ""
    if spec.unmatched == "keep":
        return text
    if spec.unmatched == "empty":
        return ""
    raise Wrong("10004.pattern", pattern=spec.pattern or "")


def _items(separators: re.Pattern[str], text: str, inner: Convert, nothing: frozenset[str], *, distinct: bool) -> str:
    held: list[str] = []
    for piece in separators.split(text):
        item = piece.strip()
        if not item or item in nothing:
            continue
        try:
            code = inner(item)
        except Wrong as wrong:
            raise Wrong(wrong.code, **{**wrong.params, "item": item}) from None
        if code and not (distinct and code in held):
            held.append(code)
    return ";".join(held)


class Column(dict[str, str]):
    """The steps over a column, with the answers remembered; what went wrong is in `wrong`."""

    __slots__ = ("_convert", "_remember", "wrong")

    def __init__(self, steps: Steps) -> None:
        super().__init__()
        self._convert = steps.convert
        self._remember = steps.remember
        self.wrong: dict[str, tuple[str, Mapping[str, str]]] = {}

    def __missing__(self, value: str) -> str:
        try:
            result = self._convert(value)
            if result and value in _EXCEL_ERRORS:
                raise Wrong("10004.excel_error")
        except Wrong as wrong:
            self.wrong[value] = ("10004.excel_error" if value in _EXCEL_ERRORS else wrong.code, wrong.params)
            result = UNREADABLE
        self[value] = result
        return result

    def __call__(self, column: list[str]) -> list[str]:
        """The column converted; a value that went wrong is UNREADABLE."""
        if len(self) > _REMEMBERED or not self._remember:
            self.clear()
            self.wrong.clear()
        return list(map(self.__getitem__, column))

    def told(self, column: list[str]) -> list[tuple[int, str, str, Mapping[str, str]]]:
        """Row, value, code and parameters of everything in the column that went wrong."""
        if not self.wrong:
            return []
        wrong = self.wrong
        return [(i, v, *wrong[v]) for i, v in enumerate(column) if v in wrong]


def crosswalk_of(
    element: Element,
    spec: ElementSpec,
    crosswalks: Mapping[str, Mapping[str, str]],
    answers: Mapping[str, Mapping[str, str]],
    codes: Mapping[str, str] | None,
) -> CodeWords | None:
    """How this element's words become codes, or None when it holds none."""
    if spec.codes is None and codes is None:
        return None
    if spec.codes == "strict":
        return CodeWords(element.list or "", codes=codes, unknown=spec.unknown)
    by_name: dict[str, str] = {}
    doubled: set[str] = set()
    for code, name in (codes or {}).items():
        plain = narrow(name)
        if plain in by_name:
            doubled.add(plain)
        by_name[plain] = code
    for name in doubled:
        del by_name[name]
    # What the drop-downs of our own template hold: `01 日常检查`.
    by_name |= {narrow(f"{code} {name}"): code for code, name in (codes or {}).items() if code != name}
    own = spec.codes or ""
    return CodeWords(
        own or element.list or "",
        answers=answers.get(own or element.list or "", {}),
        crosswalk=crosswalks.get(own, {}),
        codes=codes,
        by_name=by_name,
        # The list of a text holds only for some records: the standard's rules say for which.
        unknown="keep" if element.type is Kind.TEXT and spec.codes is None else spec.unknown,
    )

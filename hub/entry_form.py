"""A form for one record, made from its data set: fields by kind, what each asks, and what is wrong with it.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from standards.exports.asked import kind_in_words, need_in_words, size_in_words
from standards.model import DataSet, Element, Kind
from standards.registry import Standard

#: Longer lists are typed in, as nobody looks through so many boxes.
_BOXES = 40
#: 在线录入 in CL_ORIGIN: what a form fills in by itself.
_ORIGIN = ("CL_ORIGIN", "2")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})[ T](\d{2}:\d{2})(:\d{2})?")
#: How a browser shows a kind; everything else is a line of text.
_WIDGETS = {Kind.LONGTEXT: "area", Kind.JSON: "area", Kind.INT: "number", Kind.DECIMAL: "number"}


@dataclass(frozen=True, slots=True)
class Field:
    """One element as a form asks for it."""

    id: str
    title: str
    #: select, boxes, date, moment, number, area, line.
    widget: str
    #: must, when, may.
    need: str
    #: In words: whether it must be given, its form and length, the note of the standard.
    asks: str
    note: str
    example: str
    value: str
    #: Of a list: its items.
    values: tuple[str, ...]
    #: Code and name.
    choices: tuple[tuple[str, str], ...]
    personal: bool
    #: Part of the natural key.
    key: bool
    #: text, hint, severity.
    faults: tuple[Mapping[str, str], ...]


def fields(
    dataset: DataSet,
    standard: Standard,
    language: str,
    values: Mapping[str, str],
    faults: Iterable[Mapping[str, Any]] = (),
    sample: Mapping[str, str] | None = None,
) -> list[Field]:
    """Every element that a sender may give, in the order of the standard.

    `faults` as `hub.judge` tells them; `sample`: a record whose values are shown as examples.
    """
    by_element: dict[str, list[Mapping[str, str]]] = {}
    for one in faults:
        by_element.setdefault(one["element"], []).append(in_language(one, language))
    return [
        _field(e, dataset, standard, language, values.get(e.id, ""), by_element.get(e.id, ()), sample or {})
        for e in dataset.from_sender
    ]


def in_language(fault: Mapping[str, Any], language: str) -> dict[str, str]:
    """What is wrong and how to mend it, without the place: it stands beside the field."""
    english = language == "en"
    said = str(fault["text_en" if english else "text"])
    _, found, rest = said.partition(": " if english else "：")
    place = fault["place"] or fault["field"]
    text = rest if found and place else said
    return {
        "text": text,
        "hint": str(fault["hint_en" if english else "hint"]),
        "severity": str(fault["severity"]),
        "element": str(fault["element"]),
    }


def _field(
    element: Element,
    dataset: DataSet,
    standard: Standard,
    language: str,
    value: str,
    faults: Sequence[Mapping[str, str]],
    sample: Mapping[str, str],
) -> Field:
    english = language == "en"
    choices = _choices(element, standard, english)
    need = _need(element)
    widget = _widget(element, choices, value)
    # That it must or may be given stands beside its name already.
    asks = (
        []
        if element.need in ("must", "optional") and not element.sender_may
        else [need_in_words(element, dataset, standard, language)]
    )
    asks += [kind_in_words(element, language), "" if choices else size_in_words(element, language)]
    example = sample.get(element.id, "") if widget in ("line", "number", "area", "moment") else ""
    return Field(
        id=element.id,
        title=(element.title_en or element.title) if english else element.title,
        widget=widget,
        need=need,
        asks=("; " if english else "；").join(part for part in asks if part),
        note=element.note,
        example=example[:60],
        value=value.replace(" ", "T") if widget == "moment" else value,
        values=tuple(part for part in value.split(";") if part),
        choices=choices,
        personal=element.personal,
        key=element.id in dataset.natural_key,
        # What may be chosen stands in the list.
        faults=tuple({**one, "hint": ""} if choices and not value else one for one in faults),
    )


def _need(element: Element) -> str:
    if element.when or element.group:
        return "when"
    return "must" if element.need == "must" and not element.sender_may else "may"


def _choices(element: Element, standard: Standard, english: bool) -> tuple[tuple[str, str], ...]:
    if not element.list or (element.type is not Kind.CODE and element.of is not Kind.CODE):
        return ()
    codes = standard.codelist(element.list).codes
    return tuple((one.code, (one.name_en or one.name) if english else one.name) for one in codes)


def _widget(element: Element, choices: Sequence[tuple[str, str]], value: str) -> str:
    """What a browser shows; a value that its own widget would swallow stays in a line of text."""
    known = {code for code, _ in choices}
    if element.type is Kind.CODE:
        return "select" if not value or value in known else "line"
    if choices:
        fits = all(part in known for part in value.split(";") if part)
        return "boxes" if len(choices) <= _BOXES and fits else "line"
    if element.type is Kind.DATE:
        return "date" if not value or _DAY.fullmatch(value) else "line"
    if element.type is Kind.DATETIME:
        return "moment" if not value or _MOMENT.fullmatch(value) else "line"
    return _WIDGETS.get(element.type, "line")


def first_values(dataset: DataSet) -> dict[str, str]:
    """What an empty form holds already: that the record was typed in."""
    list_id, code = _ORIGIN
    return {e.id: code for e in dataset.from_sender if e.list == list_id and e.type is Kind.CODE}


def written(dataset: DataSet, words: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """The record out of what a form sent; empty elements are left out, unknown names too."""
    record = {}
    for element in dataset.from_sender:
        parts = [part.strip() for part in words.get(element.id, ()) if part.strip()]
        value = ";".join(parts).replace("\r\n", "\n")
        if element.type is Kind.DATETIME and (found := _MOMENT.fullmatch(value)):
            value = f"{found[1]} {found[2]}{found[3] or ':00'}"
        if value:
            record[element.id] = value
    return record

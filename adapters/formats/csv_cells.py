"""What is remarkable about the cells of a CSV, found by looking at whole batches, and what is done about it.

Looking for each of these in each cell would cost more than reading the file; so the bytes of a batch are looked at
once, and only a chunk that shows a sign is gone through cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Flag, auto

from adapters.formats.base import RowFault
from adapters.formats.encoding import DAMAGED, shown
from adapters.formats.lines import TOO_LONG, Batch

#: Stands for a carriage return within a line, which the csv module would take for its end.
CARRIAGE = "\ufdd2"

_CONTROL = bytes(set(range(0x20)) - {0x09, 0x0A, 0x0D}) + b"\x7f"
_CONTROL_TEXT = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = ("\u200b", "\ufeff", "\u2028", "\u2029")
_INNER_RETURN = re.compile(r"\r(?!\n)")
#: ="00123", as programs write it for Excel; and '00123, as people type it there.
_AS_TEXT = re.compile(r'="([^"]*)"')
_APOSTROPHE = re.compile(r"'\d[0-9A-Za-z./-]*")


_CODES = {"\0": "10004.character", DAMAGED: "10009.encoding", TOO_LONG: "10004.long_row"}


class Signs(Flag):
    """What a batch of lines holds."""

    NONE = 0
    #: Control, invisible or private-use characters.
    UNCLEAN = auto()
    NUL = auto()
    #: Bytes that are no characters.
    DAMAGED = auto()
    #: Carriage returns within lines.
    RETURNS = auto()
    #: Something that may be an artefact of Excel.
    EXCEL = auto()
    #: A line longer than a value may be.
    LONG = auto()
    #: A record that may run over several lines.
    SEVERAL_LINES = auto()


def signs_of(batch: Batch, max_value: int) -> tuple[Signs, list[str]]:
    """The signs of a batch, and its lines ready for the csv module."""
    signs, texts = Signs.NONE, batch.texts
    whole = "".join(texts)
    if batch.raw:
        unclean = len(batch.raw.translate(None, _CONTROL)) != len(batch.raw)
    else:
        unclean = _CONTROL_TEXT.search(whole) is not None
    if unclean:
        signs |= Signs.UNCLEAN
        if "\0" in whole:
            signs |= Signs.NUL
    if batch.private or any(mark in whole for mark in _INVISIBLE):
        signs |= Signs.UNCLEAN
    if batch.damaged:
        signs |= Signs.DAMAGED
    if '="' in whole or "'" in whole:
        signs |= Signs.EXCEL
    if max(batch.lengths) > max_value or TOO_LONG in whole:
        signs |= Signs.LONG
    if whole.count("\r") != whole.count("\r\n"):
        signs |= Signs.RETURNS
        texts = [_keep_returns(text) for text in texts]
    return signs, texts


def _keep_returns(text: str) -> str:
    if text.endswith("\r") and text.count("\r") == 1:
        return text
    if text.endswith("\r\r\n"):
        # Written as text twice.
        text = text.rstrip("\r\n") + "\r\n"
    return _INNER_RETURN.sub(CARRIAGE, text)


@dataclass(frozen=True, slots=True)
class Limits:
    """What mending needs to know of the file."""

    fields: Sequence[str]
    max_value: int
    codec: str


def mend(columns: list[list[str]], broken: dict[int, RowFault], signs: Signs, limits: Limits) -> None:
    """Change the columns as the signs ask for; rows that cannot be mended become broken, their values ''."""
    if Signs.RETURNS in signs:
        _each(columns, CARRIAGE, lambda value: value.replace(CARRIAGE, "\r"))
    if Signs.NUL in signs:
        # Fields of fixed length are filled up with NUL.
        _each(columns, "\0", lambda value: value.rstrip("\0"))
        _break(columns, broken, "\0", limits)
    if Signs.DAMAGED in signs:
        _break(columns, broken, DAMAGED, limits, encoding=shown(limits.codec))
    if signs & (Signs.LONG | Signs.SEVERAL_LINES):
        _break(columns, broken, TOO_LONG, limits, max=str(4 * limits.max_value))
        _break_long(columns, limits, broken)
    if Signs.EXCEL in signs:
        for column in columns:
            for row, value in enumerate(column):
                if value[:1] in ("=", "'") and (mended := _unwrapped(value)) is not None:
                    column[row] = mended


def _unwrapped(value: str) -> str | None:
    if found := _AS_TEXT.fullmatch(value):
        return found[1]
    return value[1:] if _APOSTROPHE.fullmatch(value) else None


def _each(columns: list[list[str]], sign: str, change: Callable[[str], str]) -> None:
    for column in columns:
        if sign in "".join(column):
            column[:] = [change(value) if sign in value else value for value in column]


def _break(columns: list[list[str]], broken: dict[int, RowFault], sign: str, limits: Limits, **more: str) -> None:
    for name, column in zip(limits.fields, columns, strict=True):
        if sign not in "".join(column):
            continue
        for row, value in enumerate(column):
            if sign in value and row not in broken:
                broken[row] = RowFault(_CODES[sign], params={"field": name, **more})
    _empty(columns, broken)


def _break_long(columns: list[list[str]], limits: Limits, broken: dict[int, RowFault]) -> None:
    max_value = limits.max_value
    for name, column in zip(limits.fields, columns, strict=True):
        if max(map(len, column)) <= max_value:
            continue
        for row, value in enumerate(column):
            if len(value) > max_value and row not in broken:
                params = {"field": name, "length": str(len(value)), "max": str(max_value)}
                broken[row] = RowFault("10004.long_value", params=params)
    _empty(columns, broken)


def _empty(columns: list[list[str]], broken: dict[int, RowFault]) -> None:
    for column in columns:
        for row in broken:
            column[row] = ""

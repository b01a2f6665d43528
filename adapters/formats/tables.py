"""What the rows of a table begin with: title lines, a header, perhaps a row of element ids.  For CSV, sheets, HTML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adapters.formats.base import Note, Reading, ReadOptions
from adapters.formats.refusal import unreadable
from standards.errors import UnreadablePayload

#: Rows looked at to find the header.
PREVIEW_ROWS = 100
#: More lines than this above a header are not found by themselves.
_TITLES_AT_MOST = 10

_INVISIBLE = re.compile("[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]")
_CJK = "\u2e80-\u9fff\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_BLANK = re.compile(r"\s+")
_BESIDE_CJK = re.compile(f"(?<=[{_CJK}]) | (?=[{_CJK}])")
_ELEMENT_ID = re.compile(r"[a-z][a-z0-9_]*")


def tidy_name(text: str) -> str:
    """A field name as it is matched: no blanks or line breaks beside Chinese characters, single ones elsewhere.

    `统一社会 信用代码` is 统一社会信用代码, `Business  Name ` is `Business Name`.
    """
    return _BESIDE_CJK.sub("", _BLANK.sub(" ", _INVISIBLE.sub("", text)).strip())


def field_names(cells: Sequence[str], options: ReadOptions, reading: Reading, place: str) -> tuple[str, ...]:
    """One name for each column; doubles get `#2`, nameless ones `列3`, and both are noted.

    Raises UnreadablePayload when there are more columns than the options allow.
    """
    if len(cells) > options.max_columns:
        raise too_many_columns(len(cells), options.max_columns, place)
    names: list[str] = []
    taken: set[str] = set()
    for number, cell in enumerate(cells, 1):
        wanted = tidy_name(cell)
        if not wanted:
            wanted = f"列{number}"
            reading.notes.append(Note("10004.unnamed_column", place, wanted, {"item": str(number)}))
        name, times = wanted, 1
        while name in taken:
            times += 1
            name = f"{wanted}#{times}"
        if times > 1:
            reading.notes.append(Note("10004.duplicate_column", place, wanted, {"other": name, "item": str(number)}))
        taken.add(name)
        names.append(name)
    return tuple(names)


def too_many_columns(found: int, limit: int, place: str) -> UnreadablePayload:
    """The error for a header that is wider than allowed."""
    return unreadable(
        f"列数过多：表头有 {found} 列，上限 {limit} 列（{place}）",
        f"too many columns: the header has {found}, the limit is {limit} ({place})",
        "请删除右侧的空列或无关列；确实需要的，请运维人员调高该接入的 max_columns",
        "remove empty or foreign columns on the right, or have the operator raise max_columns",
    )


def filled(row: Sequence[str]) -> int:
    """How many cells hold something."""
    return sum(1 for cell in row if cell and not cell.isspace())


def header_at(rows: Sequence[Sequence[str]], *, ragged: bool) -> int:
    """Which of the first rows is the header: the first that fills more than half of the usual number of cells.

    `ragged`: rows end after their last field, as in CSV, so that a title line is short.  In doubt there is no title.
    """
    counts = [filled(row) for row in rows]
    if not counts:
        return 0
    usual = sorted(counts)[min(len(counts) - 1, len(counts) * 7 // 10)]
    if usual < 2:
        return 0
    for index, count in enumerate(counts[: _TITLES_AT_MOST + 1]):
        if count * 2 > usual:
            return index
        # Of two or three columns a header may well name one only; there a title must be a single cell.
        if usual <= 3 and len(rows[index] if ragged else range(count)) > 1:
            return index
    return 0


def is_id_row(header: Sequence[str], row: Sequence[str]) -> bool:
    """True for the second header row of our own template: the element id under each Chinese title."""
    titles = [i for i, cell in enumerate(header) if cell.strip()]
    ids = [cell.strip() for cell in row]
    named = [ids[i] for i in titles if i < len(ids)]
    return (
        len(titles) >= 2
        and len(named) == len(titles)
        and filled(row) == len(titles)
        and all(_ELEMENT_ID.fullmatch(name) for name in named)
        and len(set(named)) == len(named)
        and any("_" in name for name in named)
        and any(not cell.isascii() for cell in header)
    )


@dataclass(frozen=True, slots=True)
class Width:
    """How many fields a row should have, and what to do with one that has another number."""

    expected: int

    def fits(self, row: Sequence[str]) -> bool:
        """True when the row can be brought to the expected width without guessing.

        Too long: only if the surplus is blank.  Too short: exporters cut off blank fields at the end, so it is
        taken if at least half of the fields are there.
        """
        if len(row) > self.expected:
            return not any(cell.strip() for cell in row[self.expected :])
        return len(row) * 2 >= self.expected

    def fit(self, row: list[str]) -> list[str]:
        """The row with exactly the expected number of fields."""
        return row[: self.expected] + [""] * (self.expected - len(row))

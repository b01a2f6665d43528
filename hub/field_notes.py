"""What the columns of a file tell of it as a whole: none, foreign ones, ones nobody knows, ones that are missing."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

from adapters.formats.base import Note
from hub.plan import Plan
from standards.model import FilledBy

#: Formats in which every record has every field, so that a field that is not there is a mistake of the file.
_WITH_HEADER = ("csv", "workbook", "xlsx", "xls", "xlsb", "ods")
#: So many columns of a foreign file are named.
_NAMED = 6


def field_notes(plan: Plan, seen: Sequence[str], unknown: Sequence[str], file_format: str, records: int) -> list[Note]:
    """What the columns of a file tell: no row below the header, a wholly foreign file, or single ones amiss."""
    if not records:
        return [Note("10004.no_rows")] if file_format in _WITH_HEADER else []
    if seen and file_format in _WITH_HEADER and not set(seen) - set(unknown):
        few = "、".join(seen[:_NAMED]) + (" …" if len(seen) > _NAMED else "")
        return [Note("10004.foreign_file", params={"other": plan.dataset.title, "found": few})]
    return [*(Note("10004.column", value=name) for name in unknown), *_missing(plan, seen, file_format)]


def _missing(plan: Plan, seen: Sequence[str], file_format: str) -> list[Note]:
    """Fields the mapping reads that no record had, where the file has a header; with the near name.

    Who speaks the standard's words may leave out what is not demanded.
    """
    if not seen or file_format not in _WITH_HEADER:
        return []
    there = set(seen)
    notes = []
    for element, fields in plan.program.wanted:
        if not plan.settings.mapping and not _demanded(plan, element):
            continue
        if there.isdisjoint(fields):
            near = get_close_matches(fields[0], seen, 1, 0.5)
            params = {
                "element": element,
                "title": plan.dataset.by_id[element].title if element in plan.dataset.by_id else "",
            }
            if near:
                params["near"] = near[0]
            notes.append(Note("10004.missing_column", value="、".join(fields), params=params))
    return notes


def _demanded(plan: Plan, element: str) -> bool:
    found = plan.dataset.by_id.get(element)
    return found is not None and found.need == "must" and found.filled_by is FilledBy.SENDER

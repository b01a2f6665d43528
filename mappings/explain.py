"""How one legacy record became a record: the trace of each element, made on demand by running the mapping again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mappings.compile import Program
from standards.checker import UNREADABLE


@dataclass(frozen=True, slots=True)
class Line:
    """One element: from which fields, what stood there, what it became."""

    element: str
    fields: str
    raw: str
    value: str
    changed: bool
    readable: bool = True


def explain(program: Program, record: Mapping[str, str]) -> list[Line]:
    """The trace of one legacy record, in the order of the mapping."""
    columns = {name: [value] for name, value in record.items()}
    lines = []
    for element, raw, converted in program.steps(columns, 1):
        before, after = raw[0], converted[0]
        readable = after != UNREADABLE
        lines.append(
            Line(element, program.labels[element], before, after if readable else "", before != after, readable)
        )
    return lines

"""What the names in a repair mean: the sender's columns, or elements of the standard that one column feeds.  Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import replace

from hub.plan import Plan
from hub.repair import MAKING, Fill, Repair, Step
from standards.errors import BadRecord

Columns = Mapping[str, Sequence[str]]


def named(repair: Repair, plan: Plan, columns: Columns, *, strict: bool = True) -> Repair:
    """The repair in the sender's columns.

    Raises BadRecord when a name is none, or an element that no single column feeds; not `strict`: such steps go.
    """
    steps: list[Step] = []
    for step in repair.steps:
        try:
            steps.append(_in_columns(step, plan, columns))
        except BadRecord:
            if strict:
                raise
    return replace(repair, steps=tuple(steps))


def _in_columns(step: Step, plan: Plan, columns: Columns) -> Step:
    values = {"field": _column(step.field, plan, columns, makes=isinstance(step, MAKING))}
    if isinstance(step, Fill):
        values["by"] = _column(step.by, plan, columns, makes=False)
    return step.model_copy(update=values)


def _column(name: str, plan: Plan, columns: Columns, *, makes: bool) -> str:
    """The column that a name means; `makes`: one that the mapping reads may be missing in the file."""
    if name in columns or (makes and name in plan.program.fields):
        return name
    element = next((e for e in plan.dataset.elements if name in (e.id, e.title)), None)
    if element is None:
        raise _unknown(name, [*columns, *(e.id for e in plan.dataset.elements)])
    feeding = feeding_columns(plan, element.id)
    here = [one for one in feeding if one in columns] or (feeding if makes else [])
    if len(here) != 1:
        raise BadRecord(
            f"{element.id} comes from {', '.join(plan.program.sources.get(element.id, ())) or 'no column'}",
            what_zh=f"“{element.title}”来自：{'、'.join(plan.program.sources.get(element.id, ())) or '无对应列'}",
            hint="name the sender's column",
            hint_zh="请写明发送方的列名",
        )
    return here[0]


def feeding_columns(plan: Plan, element: str) -> list[str]:
    """The columns of which one gives the element as it is; none where several are put together."""
    spec = plan.program.file.elements.get(element)
    if spec is None or spec.join is not None or spec.expr is not None or spec.const is not None:
        return []
    return list(spec.fields)


def _unknown(name: str, known: Sequence[str]) -> BadRecord:
    near = difflib.get_close_matches(name, list(dict.fromkeys(known)), 1, 0.5)
    hint, hint_zh = (f"do you mean {near[0]}?", f"是否应为 {near[0]}？") if near else ("", "")
    return BadRecord(f"the records have no column {name}", what_zh=f"记录中没有列 {name}", hint=hint, hint_zh=hint_zh)

"""What is marked in a workbook, and in which words."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The sheet with every fault that we add at the end; readers pass over it.
RESULT_SHEET = "枢纽校验结果"
#: Who wrote our comments: by this they are known and taken away when the workbook is marked again.
AUTHOR = "监管数据交换枢纽"
#: Comments in one workbook; more than this makes Excel slow, and the result sheet has them all.
MAX_MARKS = 5000
HEADINGS = ("位置", "数据项", "原值", "问题", "如何修改", "代码", "程度")

_CELL = re.compile(r"^(?P<sheet>.*)!(?P<column>[A-Z]*)(?P<row>\d+)$", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One finding as it is shown in a workbook."""

    #: Number of the record in the hand-over, from 1; 0: about all of it.
    row_no: int
    place: str
    place_words: str
    element: str
    #: The sender's name of the field.
    field: str
    value: str
    text: str
    hint: str
    code: str
    serious: bool

    @property
    def comment(self) -> str:
        """What stands at the cell."""
        return f"{self.text}\n改法：{self.hint}" if self.hint else self.text

    @property
    def line(self) -> tuple[str, ...]:
        """What stands in the result sheet."""
        name = self.element if not self.field or self.field == self.element else f"{self.element}（{self.field}）"
        degree = "须修改" if self.serious else "提示"
        return (self.place_words, name, self.value, self.text, self.hint, self.code, degree)


def cell_of(place: str) -> tuple[str, str, int] | None:
    """Sheet, column letter ('' when only the row is known) and row of a place in a workbook."""
    if "|" in place:
        return None
    found = _CELL.match(place)
    return (found["sheet"], found["column"], int(found["row"])) if found else None


def inert(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text

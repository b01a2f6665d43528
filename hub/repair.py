"""Repair by rule: what an operator mends in the sender's own words before her records are mapped once more.

The raw bytes stay as they were handed over; a repair is written down beside them and can be undone.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from adapters.formats.base import LegacyChunk
from standards.errors import BadRecord

_MOST = 10_000
_Short = Annotated[str, Field(max_length=1000)]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = Field(min_length=1, max_length=255, description="发送方的列名 the sender's column")


class Trim(_Step):
    """Take characters off both ends: spaces of every kind unless others are said."""

    verb: Literal["trim"] = "trim"
    chars: str = Field("", max_length=100, description="去掉的字符，缺省为各种空白 absent: white space")


class Pad(_Step):
    """Fill up on the left, e.g. a leading zero that Excel ate; an empty value stays empty."""

    verb: Literal["pad"] = "pad"
    width: int = Field(ge=1, le=100, description="总长度 whole length")
    fill: str = Field("0", min_length=1, max_length=1, description="补位字符 what it is filled with")


class Date(_Step):
    """Read a date in one form and write it as another; what cannot be read stays."""

    verb: Literal["date"] = "date"
    reads: str = Field(max_length=100, description="原格式 e.g. %Y年%m月%d日")
    writes: str = Field("%Y-%m-%d", max_length=100, description="新格式 the new form")


class Number(_Step):
    """A number without separators and units, times a factor (万元: 10000); what cannot be read stays."""

    verb: Literal["number"] = "number"
    unit: str = Field("", max_length=20, description="去掉的单位 unit that is taken off")
    factor: Decimal = Field(Decimal(1), description="乘以 times")


class Replace(_Step):
    """Other values for these; all others stay."""

    verb: Literal["replace"] = "replace"
    table: dict[_Short, _Short] = Field(min_length=1, max_length=_MOST, description="原值 → 新值 old to new")


class Fill(_Step):
    """An empty value is filled by another column and a table taken from the authoritative source."""

    verb: Literal["fill"] = "fill"
    by: str = Field(min_length=1, max_length=255, description="依据的列 the column it depends on")
    table: dict[_Short, _Short] = Field(min_length=1, max_length=_MOST, description="依据值 → 填入值 key to value")


class Correct(_Step):
    """Take over the sender's correction of single records."""

    verb: Literal["correct"] = "correct"
    values: dict[Annotated[int, Field(ge=1)], _Short] = Field(
        min_length=1, max_length=_MOST, description="第几条 → 新值 number of the record to value"
    )


Step = Annotated[Trim | Pad | Date | Number | Replace | Fill | Correct, Field(discriminator="verb")]
_STEPS: TypeAdapter[list[Step]] = TypeAdapter(list[Step])
#: Verbs that change what a value means: only with the owner's consent (article 19).
MEANING = (Replace, Fill, Correct)


@dataclass(frozen=True, slots=True)
class Repair:
    """Steps, one after the other; `undo`: the records they once let through are taken back."""

    steps: tuple[Step, ...] = ()
    undo: bool = False

    @classmethod
    def read(cls, text: str) -> Repair:
        """From what `text()` gave; of nothing one that changes nothing."""
        if not text:
            return cls()
        said = json.loads(text)
        return cls(tuple(_STEPS.validate_python(said["steps"])), bool(said["undo"]))

    def text(self) -> str:
        """As the ledger keeps it; empty when it changes nothing."""
        if not self.steps and not self.undo:
            return ""
        steps = [step.model_dump(mode="json") for step in self.steps]
        return json.dumps({"steps": steps, "undo": self.undo}, ensure_ascii=False)

    @property
    def needs_consent(self) -> bool:
        """True when it changes what the owner said."""
        return any(isinstance(step, MEANING) for step in self.steps)

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns it may change."""
        return tuple(dict.fromkeys(step.field for step in self.steps))

    def mended(self, chunk: LegacyChunk, numbers: Sequence[int]) -> LegacyChunk:
        """A chunk with its values mended; `numbers`: of its records within the hand-over."""
        if not self.steps:
            return chunk
        columns = dict(chunk.columns)
        for step in self.steps:
            if step.field in columns:
                columns[step.field] = _changed(step, columns, numbers)
        return replace(chunk, columns=columns)


def check_fields(repair: Repair, known: Iterable[str]) -> None:
    """Every column it names is one of the sender's.  Raises BadRecord with the near name."""
    names = list(dict.fromkeys(known))
    wanted = [*repair.fields, *(step.by for step in repair.steps if isinstance(step, Fill))]
    for name in wanted:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1, 0.5)
            hint, hint_zh = (f"do you mean {near[0]}?", f"是否应为 {near[0]}？") if near else ("", "")
            raise BadRecord(
                f"the records have no column {name}", what_zh=f"记录中没有列 {name}", hint=hint, hint_zh=hint_zh
            )


def _changed(step: Step, columns: Mapping[str, list[str]], numbers: Sequence[int]) -> list[str]:
    values = columns[step.field]
    if isinstance(step, Correct):
        return [step.values.get(number, value) for number, value in zip(numbers, values, strict=True)]
    if isinstance(step, Fill):
        keys = columns.get(step.by, [""] * len(values))
        return [value or step.table.get(key, "") for value, key in zip(values, keys, strict=True)]
    change = _form(step)
    known: dict[str, str] = {}
    changed = []
    for value in values:
        new = known.get(value)
        if new is None:
            new = known[value] = change(value)
        changed.append(new)
    return changed


def _form(step: Trim | Pad | Date | Number | Replace) -> Callable[[str], str]:
    """What one value becomes."""
    if isinstance(step, Trim):
        return lambda value: value.strip(step.chars) if step.chars else value.strip().strip("\u200b\ufeff").strip()
    if isinstance(step, Pad):
        return lambda value: value.rjust(step.width, step.fill) if value else value
    if isinstance(step, Replace):
        return lambda value: step.table.get(value, value)
    if isinstance(step, Date):
        return lambda value: _date(value, step)
    return lambda value: _number(value, step)


def _date(value: str, step: Date) -> str:
    try:
        return datetime.strptime(value.strip(), step.reads).strftime(step.writes)  # noqa: DTZ007 - a day on paper
    except ValueError:
        return value


def _number(value: str, step: Number) -> str:
    plain = value.strip().removesuffix(step.unit).strip().replace(",", "").replace("，", "").lstrip("¥￥")
    try:
        number = Decimal(plain) * step.factor
    except InvalidOperation:
        return value
    return format(number.normalize(), "f") if number.is_finite() else value

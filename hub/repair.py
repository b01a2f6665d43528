"""Repair by rule: what an operator mends in the sender's own words before her records are mapped once more.

The raw bytes stay as they were handed over; a repair is written down beside them and can be undone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from adapters.formats.base import LegacyChunk
from hub.translate.consult import Ask, nobody_to_ask
from standards.errors import BadSetup, HubError

_MOST = 10_000
_Short = Annotated[str, Field(max_length=1000)]


class _Step(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    field: str = Field(
        min_length=1,
        max_length=255,
        description="发送方的列名，或只来自一列的标准数据项 the sender's column, or an element that one column feeds",
    )


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
    """An empty value is filled from the authoritative source, asked with another column: a lookup, or its table."""

    verb: Literal["fill"] = "fill"
    by: str = Field(min_length=1, max_length=255, description="依据的列 the column it depends on")
    table: dict[_Short, _Short] = Field({}, max_length=_MOST, description="依据值 → 填入值 key to value")
    lookup: str = Field("", max_length=64, description="查询的权威来源（配置中的 lookups）lookup of the settings")
    gives: str = Field("", max_length=64, description="取其哪个字段 which of its fields")

    @model_validator(mode="after")
    def _one_source(self) -> Fill:
        if bool(self.table) == bool(self.lookup) or bool(self.lookup) != bool(self.gives):
            raise ValueError("give a table, or lookup and gives")
        return self


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
#: Verbs that can give a value where the file had no such column.
MAKING = (Fill, Correct)


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

    def mended(self, chunk: LegacyChunk, numbers: Sequence[int], ask: Ask = nobody_to_ask) -> LegacyChunk:
        """A chunk with its values mended; `numbers`: of its records within the hand-over; `ask` asks lookups.

        Raises BadSetup when a lookup does not answer: the work stands still and is tried again.
        """
        if not self.steps:
            return chunk
        columns = dict(chunk.columns)
        for step in self.steps:
            if step.field in columns or isinstance(step, MAKING):
                columns.setdefault(step.field, [""] * chunk.count)
                columns[step.field] = _changed(step, columns, numbers, ask)
        made = [name for name in columns if name not in chunk.columns]
        return replace(chunk, fields=(*chunk.fields, *made), columns=columns)


def _changed(step: Step, columns: Mapping[str, list[str]], numbers: Sequence[int], ask: Ask) -> list[str]:
    values = columns[step.field]
    if isinstance(step, Correct):
        return [step.values.get(number, value) for number, value in zip(numbers, values, strict=True)]
    if isinstance(step, Fill):
        keys = columns.get(step.by, [""] * len(values))
        table = _looked_up(step, values, keys, ask) if step.lookup else step.table
        return [value or table.get(key, "") for value, key in zip(values, keys, strict=True)]
    change = _form(step)
    known: dict[str, str] = {}
    changed = []
    for value in values:
        new = known.get(value)
        if new is None:
            new = known[value] = change(value)
        changed.append(new)
    return changed


def _looked_up(step: Fill, values: Sequence[str], keys: Sequence[str], ask: Ask) -> dict[str, str]:
    """What the authoritative source has for the keys of empty values; one question."""
    wanted = list(dict.fromkeys(key for value, key in zip(values, keys, strict=True) if key and not value))
    if not wanted:
        return {}
    try:
        found = ask(step.lookup, [(key,) for key in wanted])
    except (HubError, KeyError) as error:
        what, what_zh = (error.what, error.what_zh) if isinstance(error, HubError) else ("it is not set", "未配置")
        raise BadSetup(
            f"the lookup {step.lookup} does not answer: {what}",
            what_zh=f"权威来源 {step.lookup} 没有答复：{what_zh}",
        ) from error
    return {key[0]: fields.get(step.gives, "") for key, fields in found.items()}


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

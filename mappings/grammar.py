"""The grammar of a mapping file: what one system's words are in the standard.

    mapping: 市生态环境局行政处罚系统
    dataset: punish_action
    elements:
      punish_action_code: 案件编号                              # short for {from: 案件编号}
      set_date: {from: 决定日期}                                # dates, numbers and codes convert by themselves
      fine: {from: 罚款金额, unit: 万元, to: 元}
      punish_type: {from: 处罚种类, split: "、", codes: 处罚种类}
      illegal_fact: {join: [违法事实, 补充说明], with: "；"}
      supervise_object: {first: [监管对象, 当事人]}
      administrative_cp_na: {const: "2"}
    crosswalks:
      处罚种类: {警告: "01", 罚款: "02"}
    ignore: [序号, 打印次数]

`docs/reference/mapping.md` is generated from the descriptions below.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Unit = Literal["元", "千元", "万元", "百万元", "亿元"]


def _as_tuple(value: object) -> object:
    """One value may be written without the list around it."""
    return (value,) if isinstance(value, str) else value


def _as_flag(value: object) -> object:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


Several = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Flag = Annotated[bool, BeforeValidator(_as_flag)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Pad(_Part):
    """Fill a value up to a width."""

    width: int = Field(gt=0, le=200, description="Characters the value should have.")
    fill: str = Field("0", min_length=1, max_length=1, description="What to fill with.")
    side: Literal["left", "right"] = Field("left", description="Where to fill.")


class ElementSpec(_Part):
    """From where one element comes and what is done to it, in the order of the lines below."""

    from_: str | None = Field(None, alias="from", description="The sender's field.")
    first: Several | None = Field(None, description="Fields of which the first that has a value is taken.")
    join: Several | None = Field(None, description="Fields whose values are put together.")
    with_: str = Field("", alias="with", description="Between the joined values.")
    const: str | None = Field(None, description="Always this value.")
    expr: str | None = Field(None, description="An expression over the sender's fields, as the last resort.")
    when: str | None = Field(None, description="Only where this expression over the sender's fields is true.")
    nulls: Several = Field((), description="Values that mean nothing, besides those of the file.")
    replace: dict[str, str] = Field({}, description="Pieces of text to put in place of others, in this order.")
    pattern: str | None = Field(None, description="Regular expression; its first group (or the match) is the value.")
    unmatched: Literal["finding", "empty", "keep"] = Field(
        "finding", description="What a value that does not fit the pattern becomes."
    )
    every: str | None = Field(None, description="With pattern: take all matches and join them with this.")
    split: Several = Field((), description="Signs that separate the items of a list.")
    codes: str | None = Field(
        None, description="Crosswalk that turns the value (or each item) into a code; `strict`: codes only, no names."
    )
    unknown: Literal["finding", "empty", "keep"] = Field(
        "finding", description="What a value that the crosswalk does not know becomes."
    )
    date: Several = Field((), description="Formats of a date: strptime patterns, `auto`, or `excel` for day numbers.")
    open_end: Flag = Field(False, description="长期, 永久, 9999-… and 2099-… mean 2099-12-31.")
    unit: Unit | None = Field(None, description="Unit of the sender's amount.")
    to: Unit | None = Field(None, description="Unit the element is in.")
    pad: Pad | None = Field(None, description="Fill the value up to a width.")
    upper: Flag = Field(False, description="Latin letters as capitals.")
    default: str | None = Field(None, description="Taken where the sender gave nothing.")
    note: str = Field("", description="Why it is so; for the next reader.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [s for s in (self.from_, self.first, self.join, self.const, self.expr) if s is not None]
        if len(sources) != 1:
            raise ValueError("exactly one of from, first, join, const, expr is needed")
        if (self.unit is None) != (self.to is None):
            raise ValueError("'unit' and 'to' belong together")
        if self.every is not None and self.pattern is None:
            raise ValueError("'every' needs 'pattern'")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The sender's fields named directly (not those inside expressions)."""
        if self.from_ is not None:
            return (self.from_,)
        return self.first or self.join or ()


class CrosswalkFile(_Part):
    """A crosswalk that stands in a CSV beside the mapping (columns: source, code, note)."""

    file: str = Field(description="Name of the CSV file in the mapping's folder.")


class MappingFile(_Part):
    """One system's records of one kind in the words of one data set."""

    mapping: str = Field(description="What system and what records, in words.")
    dataset: str = Field(description="The data set it maps to.")
    dataset_version: str | None = Field(None, description="Version of the data set; the newest valid one if absent.")
    version: str = Field("1", description="Version of this mapping.")
    read: dict[str, Any] = Field({}, description="How to read the system's files (see reading options).")
    nulls: Several = Field((), description="Values that mean nothing in every field of this system.")
    elements: dict[str, ElementSpec] = Field(description="Element of the data set, or common element: where from.")
    crosswalks: dict[str, dict[str, str] | CrosswalkFile] = Field({}, description="This system's codes in ours.")
    lacks: dict[str, str] = Field({}, description="Must-elements the system cannot give, each with the reason.")
    ignore: Several = Field((), description="Fields of the system that are left out on purpose; * and ? match.")
    note: str = Field("", description="Quirks of the system worth knowing.")
    source: str = Field("", description="Where the knowledge about the system comes from.")

"""The grammar of an outward form: how a record of one data set looks to one system, and how that system answers.

    form: 双公示行政处罚（信用平台前置）
    dataset: punish_action
    key: [CF_WSH]
    columns:
      CF_WSH: punish_document_code
      CF_NR_FK: {from: fine, unit: 元, to: 万元, places: 6}
      CF_JDRQ: {from: set_date, date: "%Y/%m/%d"}
      CF_CFLB: {from: punish_type, codes: 处罚类别, with: ";"}
    crosswalks:
      处罚类别: {"01": 警告, "02": 罚款}
    omit: ["*_review*", legal_*]
    wire: {rows: xml, row: ROW, wrap: "<ROWDATA>{rows}</ROWDATA>"}
    answer: {read: xml, code: result/code, ok: ["00"], lines: result/errors/error, key: CF_WSH, message: msg}

A name with slashes (`taskInfo/taskNo`) stands inside another.  Every element is a column or left out on purpose.
"""

from __future__ import annotations

from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mappings.grammar import Several, Unit


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class OutColumn(_Part):
    """What one column holds, in the order of the lines below."""

    from_: str | None = Field(None, alias="from", description="Element of the data set, or common element.")
    first: Several | None = Field(None, description="Elements of which the first that has a value is taken.")
    join: Several | None = Field(None, description="Elements whose values are put together.")
    const: str | None = Field(None, description="Always this value.")
    with_: str = Field(";", alias="with", description="Between joined values, and between the items of a list.")
    codes: str | None = Field(None, description="Crosswalk from our codes to theirs, for each item of a list.")
    unknown: Literal["refuse", "keep", "empty"] = Field(
        "refuse", description="What a code becomes that the crosswalk does not know."
    )
    date: str = Field("", description="How a date is written (strftime), such as %Y/%m/%d.")
    open_end: str = Field("", description="What the open end 2099-12-31 is called there.")
    unit: Unit | None = Field(None, description="Unit of our amount.")
    to: Unit | None = Field(None, description="Unit they want.")
    places: int | None = Field(None, ge=0, le=10, description="Decimal places they want.")
    default: str = Field("", description="Where we have nothing.")
    max: int | None = Field(None, gt=0, description="Longest value they take; a longer one is refused, never cut.")
    note: str = Field("", description="Why it is so; for the next reader.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        return {"from": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if sum(s is not None for s in (self.from_, self.first, self.join, self.const)) != 1:
            raise ValueError("exactly one of from, first, join, const is needed")
        if (self.unit is None) != (self.to is None):
            raise ValueError("'unit' and 'to' belong together")
        return self

    @property
    def elements(self) -> tuple[str, ...]:
        """Elements it is made of."""
        return (self.from_,) if self.from_ is not None else self.first or self.join or ()


class Wire(_Part):
    """How rows become bytes.  Words in braces are filled in; see `mappings.outward.wire.Words`."""

    rows: Literal["xml", "json", "ndjson", "csv"] = Field("json", description="Form of the rows.")
    row: str = Field("ROW", description="xml: element around each row.")
    skip_empty: bool = Field(False, description="Leave empty columns out.")
    wrap: str = Field("{rows}", description="What stands around the rows.")
    pack: Literal["none", "base64", "escape"] = Field(
        "none", description="The wrapped rows as base64, or with < > & escaped, to stand inside something else."
    )
    envelope: str = Field("{body}", description="What stands around the packed body.")
    encoding: Literal["utf-8", "gb18030"] = Field("utf-8", description="Of the bytes.")
    content_type: str = Field("", description="Of the bytes; empty: by the rows.")

    @model_validator(mode="after")
    def _has_a_place_for_it(self) -> Self:
        if "{rows}" not in self.wrap or "{body}" not in self.envelope:
            raise ValueError("'wrap' needs {rows} and 'envelope' needs {body}")
        return self


class AnswerSpec(_Part):
    """How the system's answer is read.  Paths are names with slashes; namespaces do not matter."""

    read: Literal["none", "json", "xml", "text"] = Field(
        "none", description="none: an answer without an error means that all were accepted; text: the code alone."
    )
    inner: str = Field("", description="Path of a text that holds the real answer, once more to be read.")
    inner_read: Literal["json", "xml", "text"] = Field("xml", description="What that text is.")
    code: str = Field("", description="Path of the code of the whole.")
    ok: Several = Field(("0",), description="Codes that mean: taken.")
    busy: Several = Field((), description="Codes that mean: later.")
    receipt: str = Field("", description="Path of their number.")
    lines: str = Field("", description="Path of what is said of single rows; a row without a line was accepted.")
    key: Several = Field((), description="In a line: paths whose values are those of the form's key columns.")
    row: str = Field("", description="In a line: path of the row's number, from 1.")
    element: str = Field("", description="In a line: path of the column that is wrong.")
    message: str = Field("", description="In a line, and of the whole: path of what is wrong, in words.")
    line_code: str = Field("", description="In a line: path of its code.")
    line_ok: Several = Field((), description="Line codes that mean: accepted.")


class OutFile(_Part):
    """One data set in one system's words."""

    form: str = Field(description="What system and what it receives, in words.")
    dataset: str = Field(description="The data set it is made from.")
    version: str = Field("1", description="Version of this form.")
    key: Several = Field((), description="Columns that name a row.")
    columns: dict[str, OutColumn] = Field(min_length=1, description="Their column: what stands in it.")
    crosswalks: dict[str, dict[str, str]] = Field({}, description="Our codes in theirs.")
    omit: Several = Field((), description="Elements that are left out on purpose; * and ? match.")
    wire: Wire = Field(Wire(), description="How rows become bytes.")
    answer: AnswerSpec = Field(AnswerSpec(), description="How the answer is read.")
    note: str = Field("", description="Quirks worth knowing.")
    source: str = Field("", description="Where the knowledge about the system comes from.")

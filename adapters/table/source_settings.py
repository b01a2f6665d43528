"""Settings of a table that a party fills and we read."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, model_validator

from adapters.table.settings import DatabaseSettings


class AnswerColumns(BaseModel):
    """Columns of the sender's row that take what became of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    result: str = Field("", description="Column for the verdict, in the words below.")
    message: str = Field("", description="Column for what is wrong and how to mend it.")
    receipt: str = Field("", description="Column for the number of the receipt.")
    time: str = Field("", description="Column for the time of the verdict.")
    accepted: str = Field("1", description="Word for accepted.")
    rejected: str = Field("2", description="Word for rejected.")
    held: str = Field("3", description="Word for held.")
    duplicate: str = Field("1", description="Word for a duplicate.")
    refused: str = Field("2", description="Word for refused by a higher level.")

    @property
    def columns(self) -> tuple[str, ...]:
        """Those that are set."""
        return tuple(name for name in (self.result, self.message, self.receipt, self.time) if name)


class TableSourceSettings(DatabaseSettings):
    """A table of the sender that is looked at again and again."""

    table: str = Field(description="Table or view that is read.", examples=["cf_jl"])
    key: tuple[str, ...] = Field(min_length=1, description="Columns that name a row.", examples=[["id"]])
    columns: tuple[str, ...] = Field((), description="Columns that are read; empty: all.")
    take: Literal["flag", "since"] = Field(
        "flag", description="flag = rows whose flag says new, marked when taken; since = rows behind the last ones."
    )
    flag: str = Field("", description="Column that says whether a row was taken.", examples=["bz"])
    new: tuple[str, ...] = Field(("", "0"), description="Values of the flag that mean new; '' stands for NULL too.")
    taken: str = Field("1", description="Value of the flag that we write when the row is kept here.")
    changed: str = Field(
        "",
        description="Column that every change of a row changes (a time, a version): a row changed meanwhile stays new.",
    )
    since: str = Field("", description="Column that grows with every new or changed row: a time or a number.")
    start: str = Field("", description="Where `since` begins the first time; empty: with the first row.")
    behind_seconds: int = Field(
        60, ge=0, description="With a time: rows so young are left for the next look, others may still be committed."
    )
    answer: AnswerColumns = Field(
        AnswerColumns(),
        description="Columns for the answer, where the table has them.",
        examples=[{"result": "jg", "message": "yy", "receipt": "hz"}],
    )
    dataset: str = Field("", description="Data set the connection test compares the table with; for standard words.")
    rows: PositiveInt = Field(1000, le=10_000, description="Rows of one hand-over at most.")
    pause_seconds: PositiveFloat = Field(5, description="Rest between two looks.")

    @model_validator(mode="after")
    def _says_how_rows_are_found(self) -> Self:
        if self.take == "flag" and not self.flag:
            raise ValueError('take = flag needs the column: flag = "…"')
        if self.take == "since" and not self.since:
            raise ValueError('take = since needs the column: since = "…"')
        return self

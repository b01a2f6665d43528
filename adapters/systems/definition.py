"""The grammar of a system's definition."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mappings.grammar import Flag, Several
from mappings.outward.grammar import Wire

#: A number of a row in DOMAIN.md, section 8.
Rows = Annotated[tuple[int, ...], BeforeValidator(lambda v: tuple(v) if isinstance(v, list) else (v,))]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Replies(_Part):
    """How the simulator of a receiver answers; {lines} {key} {row} {column} {message} {count} are filled in."""

    ok: str = Field("", description="All rows were taken.")
    wrong: str = Field("", description="Some rows were not: {lines}.")
    line: str = Field("", description="One row that was not taken.")
    between: str = Field("", description="Between two such lines.")


class Feed(_Part):
    """One kind of data over one channel, in or out."""

    title: str = Field(description="What goes over it, Chinese.")
    title_en: str = Field(description="The same in English.")
    direction: Literal["in", "out"] = Field(description="Seen from the hub.")
    channel: str = Field(description="Adapter that carries it.")
    rows: Rows = Field(description="Rows of DOMAIN.md section 8 that it serves.")
    datasets: Several = Field(description="Data sets.")
    mapping: str = Field("", description="in: the mapping; empty: the standard's words.")
    forms: dict[str, str] = Field({}, description="out: data set = outward form.")
    settings: dict[str, Any] = Field(
        {}, description="Settings of the adapter; {url} {folder} {database} are filled in."
    )
    more: dict[str, Any] = Field({}, description="Further words of the connection or destination.")
    read: dict[str, Any] = Field({}, description="in: reading options.")
    when: str = Field("", description="out: only records of which this expression is true.")
    wire: Wire = Field(Wire(), description="in: how the other side writes its records; for the simulator.")
    sample: list[dict[str, Any]] = Field([], description="in: records as the other side has them.")
    unique: Several = Field((), description="in: fields (a/b for inner ones) that differ from record to record.")
    spoil: dict[str, str] = Field({}, description="in: values that make a record wrong.")
    replies: Replies = Field(Replies(), description="out: how the receiver answers; for the simulator.")
    quirks: str = Field("", description="What is odd about it.")

    @model_validator(mode="after")
    def _fits_its_direction(self) -> Self:
        if self.direction == "in" and (not self.sample or not self.unique or not self.spoil):
            raise ValueError("a feed that comes in needs sample, unique and spoil")
        if self.direction == "in" and len(self.datasets) != 1:
            raise ValueError("a feed that comes in has one data set")
        return self


class Party(_Part):
    """Whose system it is."""

    title: str = Field(description="Full name, as an example.")
    kind: Literal["department", "platform", "hub", "enterprise", "third-party"] = Field(description="What it is.")


class System(_Part):
    """One system with a name."""

    system: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Short name.")
    title: str = Field(description="Name, Chinese.")
    title_en: str = Field(description="Name, English.")
    level: Literal["city", "province"] = Field("city", description="Beside a hub of which level the demo shows it.")
    party: Party = Field(description="Whose it is.")
    secrets: dict[str, str] = Field({}, description="Names of secrets its settings refer to: what each is.")
    feeds: dict[str, Feed] = Field(min_length=1, description="What it sends and receives.")
    note: str = Field("", description="What an integrator should know.")
    source: str = Field("", description="Where the knowledge about it comes from.")
    own: Flag = Field(True, description="True: the messages are our own profile, because the real ones are not public.")

    @property
    def rows(self) -> tuple[int, ...]:
        """Every row it serves."""
        return tuple(sorted({row for feed in self.feeds.values() for row in feed.rows}))

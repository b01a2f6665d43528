"""Settings of the channel `table`."""

from __future__ import annotations

from string import Formatter
from typing import Literal, Self

from pydantic import Field, NonNegativeFloat, PositiveInt, field_validator, model_validator
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters.base import AdapterSettings

BY_REFERENCE = r"^$|^(env|file):"
_TABLE_WORDS = frozenset({"table", "front", "dataset"})


class DatabaseSettings(AdapterSettings):
    """A database of the other side."""

    url: str = Field(
        description="SQLAlchemy URL without password: postgresql+psycopg://user@host/db, mysql+pymysql://…, "
        "oracle+oracledb://…, dm+dmPython://…, mssql+pymssql://…, sqlite:////file; 金仓: postgresql+psycopg.",
        examples=["postgresql+psycopg://exchange@10.1.2.3/front"],
    )
    password: str = Field(
        "",
        pattern=BY_REFERENCE,
        description="Password, by reference: env:NAME or file:/path.",
        examples=["env:FRONT_PASSWORD"],
    )
    db_schema: str = Field("", alias="schema", description="Schema the tables are in; empty: the user's own.")
    connect_seconds: PositiveInt = Field(10, description="Longest wait for a connection.")
    statement_seconds: PositiveInt = Field(60, description="Longest wait for one statement.")

    @field_validator("url")
    @classmethod
    def _url_without_password(cls, url: str) -> str:
        try:
            parsed = make_url(url)
        except ArgumentError as error:
            raise ValueError("not an SQLAlchemy URL, such as postgresql+psycopg://user@host/database") from error
        if parsed.password:
            raise ValueError("a password is not written here: use password = env:NAME or file:/path")
        return url


def _is_table_pattern(pattern: str) -> str:
    words = {word for _, word, _, _ in Formatter().parse(pattern) if word is not None}
    if unknown := words - _TABLE_WORDS:
        raise ValueError(f"unknown words {sorted(unknown)}; there are {sorted(_TABLE_WORDS)}")
    return pattern


class TableSettings(DatabaseSettings):
    """Settings of front-end tables that parcels are written into."""

    prefix: str = Field("", description="Put before every table name, such as ds_420100_ of one city.")
    tables: dict[str, str] = Field(
        {}, description="Data set: its table there, where it is not called as in the standard."
    )
    columns: dict[str, str] = Field(
        {},
        description="Element: its column there, where it is called otherwise; `revision` names one for the revision.",
    )
    fill: dict[str, str] = Field(
        {}, description="Element: the value written in place of the record's, such as cd_source = 420000."
    )
    leave_out: Literal["own", "none", "any"] = Field(
        "own",
        description="Elements whose column is missing there: own = those of our own profile are left out, a missing "
        "national one is a fault; none = all must be there; any = whatever is missing is left out, but for the keys.",
    )
    length_in: Literal["characters", "utf-8", "gb18030"] = Field(
        "characters",
        description="What the lengths of the columns count: characters, or bytes in that encoding (Oracle BYTE).",
    )
    datasets: tuple[str, ...] = Field(
        (), description="Data sets whose tables the connection test compares with the standard; empty: all it finds."
    )
    verdict: Literal["written", "merged", "judged"] = Field(
        "written",
        description="When a record counts as accepted: written = its row is committed; merged = the centre has written "
        "cd_hb_time back; judged = it is in the base table, while a row in the error tables refuses it.",
    )
    merge_table: str = Field(
        "",
        description="Table with cd_lsh, cd_hb_source and cd_hb_time by cd_id and cd_batch, such as {table}_hj_all "
        "({table}: the standard's name, {front}: the name of the front-end table, {dataset}); empty: the centre writes "
        "them into the front-end row.",
    )
    base_table: str = Field(
        "{table}_jc_all",
        description="Table of the rows that passed, by cd_lsh; empty: rows without error pass after clean_minutes.",
    )
    detail_table: str = Field("{table}_fd", description="Error details: cd_lsh, error_column, msg.")
    index_table: str = Field("{table}_fi", description="Error index: cd_lsh, table_name; empty: there is none.")
    clean_minutes: NonNegativeFloat = Field(
        60, description="Without a base table: how long after merging a row without error counts as accepted."
    )
    verdict_database: DatabaseSettings | None = Field(
        None, description="Where merge, base and error tables are; empty: in the same database and schema."
    )
    ask_seconds: NonNegativeFloat = Field(5, description="Rest between two looks for verdicts.")
    level: str = Field("", description="Level of the receiver: district, city, province, nation; empty: the hub's own.")

    @field_validator("merge_table", "base_table", "detail_table", "index_table")
    @classmethod
    def _patterns_are_known(cls, pattern: str) -> str:
        return _is_table_pattern(pattern)

    @model_validator(mode="after")
    def _verdict_can_be_read(self) -> Self:
        if self.verdict == "judged" and not self.detail_table:
            raise ValueError("verdict = judged needs a detail_table")
        return self

    def front_table(self, dataset: str, standard_name: str) -> str:
        """The name of a data set's table there."""
        return self.tables.get(dataset) or f"{self.prefix}{standard_name}"

    def beside(self, pattern: str, dataset: str, standard_name: str) -> str:
        """The name of a table that belongs to a data set's front-end table."""
        return pattern.format(table=standard_name, front=self.front_table(dataset, standard_name), dataset=dataset)

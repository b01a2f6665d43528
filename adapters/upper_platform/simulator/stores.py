"""The tables of a simulated centre, as those of a real one (DOMAIN 1.2), and what it remembers for tests.

<prefix><t>     front-end table of an organisation: typed, one row per cd_id; that of reports is called
                <prefix>up_data_reconciliation
<prefix>dn_data_reconciliation   what the centre reports to it (see `reconciling.py`)
<t>_hj_all      merge store: each row once, with CD_LSH, CD_HB_SOURCE, CD_HB_TIME and its verdict
<t>_jc_all      base store: the rows that passed
<t>_jc_false    error store: the rows that did not, with <t>_fd (which column, why) and <t>_fi (which table)
sim_arrival     every arrival of every record, repeats too
sim_stored      every (data set, cd_id, revision) that passed, once, and how often it was stored
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
)

from adapters.table.definition import front_table
from adapters.table.shape import elements_of
from standards.exports.ddl import short_name
from standards.model import DataSet
from standards.registry import Standard

#: What the centre adds to the elements in its own stores.
OWN = ("sim_org", "sim_way", "sim_revision", "sim_parcel", "sim_verdict")
#: Front-end tables that are called otherwise than their data set's.
FRONT_NAMES = {"reconciliation_report": "up_data_reconciliation"}
#: What `sim_verdict` says; empty: not judged yet.
RIGHT, WRONG = "right", "wrong"


@dataclass(frozen=True, slots=True)
class Organisation:
    """One that delivers: over HTTP, or into front-end tables with its prefix."""

    name: str
    #: Put before the names of its front-end tables; None: it has none.
    prefix: str | None = ""


@dataclass(frozen=True, slots=True)
class Stores:
    """The tables of one data set."""

    dataset: DataSet
    #: Organisation -> its front-end table.
    front: dict[str, Table]
    merged: Table
    base: Table
    wrong: Table
    detail: Table
    index: Table
    elements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Books:
    """What the centre writes down for whoever checks it."""

    arrival: Table
    stored: Table
    serial: Table


def books(metadata: MetaData) -> Books:
    """The tables beside the stores."""
    arrival = Table(
        "sim_arrival",
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("at", DateTime, nullable=False),
        Column("org", String(64), nullable=False),
        Column("way", String(8), nullable=False),
        Column("dataset", String(64), nullable=False),
        Column("parcel", String(64), nullable=False),
        Column("cd_id", String(100), nullable=False),
        Column("revision", String(20), nullable=False),
        Column("digest", String(64), nullable=False),
        Column("kind", String(10), nullable=False),
    )
    stored = Table(
        "sim_stored",
        metadata,
        Column("dataset", String(64), primary_key=True),
        Column("cd_id", String(100), primary_key=True),
        Column("revision", String(20), primary_key=True),
        Column("digest", String(64), nullable=False),
        Column("operation", String(1), nullable=False),
        Column("parcel", String(64), nullable=False),
        Column("times", Integer, nullable=False),
        Column("at", DateTime, nullable=False),
    )
    serial = Table("sim_serial", metadata, Column("name", String(20), primary_key=True), Column("last", BigInteger))
    return Books(arrival, stored, serial)


def stores(dataset: DataSet, standard: Standard, metadata: MetaData, organisations: list[Organisation]) -> Stores:
    """The tables of a data set."""
    names = tuple(e.id for e in elements_of(dataset, standard))
    return Stores(
        dataset=dataset,
        front={
            org.name: front_table(
                dataset, standard, metadata, name=f"{org.prefix}{FRONT_NAMES.get(dataset.id, dataset.table)}"
            )
            for org in organisations
            if org.prefix is not None
        },
        merged=_store(f"{dataset.table}_hj_all", names, metadata),
        base=_store(f"{dataset.table}_jc_all", names, metadata),
        wrong=_store(f"{dataset.table}_jc_false", names, metadata),
        detail=_detail(f"{dataset.table}_fd", metadata),
        index=Table(
            f"{dataset.table}_fi",
            metadata,
            Column("cd_lsh", String(32), primary_key=True),
            Column("table_name", String(64), nullable=False),
        ),
        elements=names,
    )


def _store(name: str, elements: tuple[str, ...], metadata: MetaData) -> Table:
    """Everything as text, so that wrong values have a place too."""
    keyed = {"cd_lsh": String(32), "cd_id": String(100)}
    columns: list[Column[Any]] = [
        Column(n, keyed.get(n, Text()), primary_key=n == "cd_lsh", nullable=n not in keyed) for n in elements
    ]
    columns += [Column(n, String(64), nullable=False, default="") for n in OWN]
    table = Table(name, metadata, *columns)
    Index(short_name(f"ux_{name}_id"), table.c.cd_id, unique=True)
    Index(short_name(f"ix_{name}_v"), table.c.sim_verdict)
    return table


def _detail(name: str, metadata: MetaData) -> Table:
    table = Table(
        name,
        metadata,
        Column("id", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
        Column("cd_lsh", String(32), nullable=False),
        Column("error_column", String(64), nullable=False),
        Column("msg", Text, nullable=False),
    )
    Index(short_name(f"ix_{name}"), table.c.cd_lsh)
    return table


def as_text(value: object) -> str:
    """A typed value in its canonical text."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, date):
        return value.isoformat()
    return format(value, "f") if isinstance(value, Decimal) else str(value)

"""Merged rows are judged: what passes goes to the base store, the rest to the error store with column and message."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, select, update

from adapters.simulators.faults import Faults
from adapters.table.writing import chunks
from adapters.upper_platform.simulator.judge import Error, Judge
from adapters.upper_platform.simulator.stores import RIGHT, WRONG, Books, Stores

_BATCH = 1000


def judge_rows(
    connection: Connection,
    one: Stores,
    books: Books,
    judge: Judge,
    faults: Faults,
    moment: datetime,
    keys: Sequence[str] | None = None,
) -> int:
    """Judge rows without a verdict, those of `keys` or the next ones; how many."""
    m = one.merged.c
    order = m.cd_lsh.desc() if faults.out_of_order else m.cd_lsh
    asked = select(one.merged).where(m.sim_verdict == "").order_by(order)
    rows: list[dict[str, Any]] = []
    if keys is None:
        rows = [dict(row) for row in connection.execute(asked.limit(_BATCH)).mappings()]
    for some in chunks(keys or ()):
        rows += [dict(row) for row in connection.execute(asked.where(m.cd_id.in_(some))).mappings()]
    if rows:
        wrong = judge.judge(rows, f"{moment:%Y-%m-%d}", faults)
        _to_stores(connection, one, rows, wrong)
        _note(connection, books, one, [row for i, row in enumerate(rows) if i not in wrong], moment)
    return len(rows)


def _to_stores(
    connection: Connection, one: Stores, rows: Sequence[dict[str, Any]], wrong: Mapping[int, list[Error]]
) -> None:
    right = [row for i, row in enumerate(rows) if i not in wrong]
    refused = [rows[i] for i in wrong]
    for some in chunks([row["cd_id"] for row in right]):
        connection.execute(delete(one.base).where(one.base.c.cd_id.in_(some)))
    _insert(connection, one.base, [row | {"sim_verdict": RIGHT} for row in right])
    _insert(connection, one.wrong, [row | {"sim_verdict": WRONG} for row in refused])
    _insert(connection, one.index, [{"cd_lsh": row["cd_lsh"], "table_name": one.dataset.table} for row in refused])
    details = [
        {"cd_lsh": rows[i]["cd_lsh"], "error_column": error.column, "msg": error.message}
        for i, errors in wrong.items()
        for error in errors
    ]
    _insert(connection, one.detail, details)
    for verdict, judged in ((RIGHT, right), (WRONG, refused)):
        for some in chunks([row["cd_lsh"] for row in judged]):
            connection.execute(update(one.merged).where(one.merged.c.cd_lsh.in_(some)).values(sim_verdict=verdict))


def _note(connection: Connection, books: Books, one: Stores, right: Sequence[Mapping[str, Any]], at: datetime) -> None:
    """Every revision that passed, once; how often it was stored is counted."""
    s = books.stored
    there: set[tuple[str, str]] = set()
    for some in chunks([row["cd_id"] for row in right]):
        asked = select(s.c.cd_id, s.c.revision).where(s.c.dataset == one.dataset.id, s.c.cd_id.in_(some))
        there |= {(row[0], row[1]) for row in connection.execute(asked)}
    new = []
    for row in right:
        cd_id, revision = row["cd_id"], row["sim_revision"]
        if (cd_id, revision) in there:
            key = (s.c.dataset == one.dataset.id, s.c.cd_id == cd_id, s.c.revision == revision)
            connection.execute(update(s).where(*key).values(times=s.c.times + 1))
            continue
        new.append(
            {
                "dataset": one.dataset.id,
                "cd_id": cd_id,
                "revision": revision,
                "digest": row["content_digest"] or "",
                "operation": row["cd_operation"] or "",
                "parcel": row["sim_parcel"],
                "times": 1,
                "at": at,
            }
        )
    _insert(connection, s, new)


def _insert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    if rows:
        connection.execute(insert(table), list(rows))

"""What a simulated centre can tell: the four counts, every arrival, every revision it stored, and its verdicts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from adapters.table.writing import chunks
from adapters.upper_platform.simulator.arriving import CONFLICT, REPEAT, STALE
from adapters.upper_platform.simulator.stores import RIGHT, WRONG, Books, Stores, as_text
from standards.parcel import AnswerLine, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """The four counts of one organisation and table."""

    organisation: str
    dataset: str
    front: int  # 前置数据量
    standard: int  # 标准数据量
    right: int  # 正确量
    wrong: int  # 错误量

    @property
    def consistent(self) -> bool:
        """False is shown as 数据不一致."""
        return self.front == self.standard


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRevision:
    """One revision of one record that passed."""

    dataset: str
    cd_id: str
    revision: str
    digest: str
    operation: str
    parcel: str
    #: 1, or the centre has stored it more than once.
    times: int


def counts(connection: Connection, one: Stores, organisations: Sequence[str]) -> Iterator[Count]:
    """The four counts of each organisation that has rows."""
    m = one.merged.c
    asked = select(m.sim_org, m.sim_way, m.sim_verdict, func.count()).group_by(m.sim_org, m.sim_way, m.sim_verdict)
    sums: dict[str, dict[str, int]] = {name: {} for name in organisations}
    by_http: dict[str, int] = {}
    for org, way, verdict, number in connection.execute(asked):
        of = sums.setdefault(org, {})
        of[verdict] = of.get(verdict, 0) + number
        if way == "http":
            by_http[org] = by_http.get(org, 0) + number
    for org, of in sums.items():
        front = by_http.get(org, 0)
        if org in one.front:
            front += connection.execute(select(func.count()).select_from(one.front[org])).scalar_one()
        merged = sum(of.values())
        if front or merged:
            yield Count(
                organisation=org,
                dataset=one.dataset.id,
                front=front,
                standard=merged,
                right=of.get(RIGHT, 0),
                wrong=of.get(WRONG, 0),
            )


def stored(
    connection: Connection, books: Books, dataset: str, after: Sequence[str], limit: int
) -> list[StoredRevision]:
    """Revisions that passed, in the order of data set, key and revision, behind `after`."""
    s = books.stored.c
    asked = select(s.dataset, s.cd_id, s.revision, s.digest, s.operation, s.parcel, s.times)
    asked = asked.order_by(s.dataset, s.cd_id, s.revision).limit(limit)
    if dataset:
        asked = asked.where(s.dataset == dataset)
    if any(after):
        same_set, same_key = s.dataset == after[0], s.cd_id == after[1]
        asked = asked.where(
            (s.dataset > after[0]) | (same_set & (s.cd_id > after[1])) | (same_set & same_key & (s.revision > after[2]))
        )
    return [StoredRevision(**row) for row in connection.execute(asked).mappings()]


def arrivals(connection: Connection, books: Books, after: int, limit: int) -> list[dict[str, Any]]:
    """Arrivals in their order, behind number `after`."""
    a = books.arrival
    asked = select(a).where(a.c.id > after).order_by(a.c.id).limit(limit)
    return [dict(row) | {"at": as_text(row["at"])} for row in connection.execute(asked).mappings()]


def kinds_of(connection: Connection, books: Books, parcel_id: str) -> tuple[str, dict[str, str]]:
    """Data set of a parcel, and how each of its records arrived first; '' when it never came."""
    a = books.arrival.c
    asked = select(a.dataset, a.cd_id, a.kind).where(a.parcel == parcel_id).order_by(a.id.desc())
    dataset, kinds = "", {}
    for name, cd_id, kind in connection.execute(asked):
        dataset = name
        kinds[cd_id] = kind
    return dataset, kinds


def verdict(connection: Connection, one: Stores, kinds: Mapping[str, str]) -> list[AnswerLine] | None:
    """Lines about records by how they arrived; None while one of them is not judged."""
    m, d = one.merged.c, one.detail.c
    lines: list[AnswerLine] = []
    refused: dict[str, str] = {}
    for some in chunks(list(kinds)):
        asked = select(m.cd_id, m.cd_lsh, m.sim_verdict).where(m.cd_id.in_(some))
        for cd_id, lsh, judged in connection.execute(asked):
            kind = kinds[cd_id]
            if kind == STALE:
                lines.append(AnswerLine(cd_id=cd_id, result=Result.STALE))
            elif kind == CONFLICT:
                message = "同一修订号已有不同内容 (this revision is there with other content)"
                lines.append(AnswerLine(cd_id=cd_id, result=Result.REFUSED, code="20001", message=message))
            elif not judged:
                return None
            elif judged == WRONG:
                refused[lsh] = cd_id
            elif kind == REPEAT:
                lines.append(AnswerLine(cd_id=cd_id, result=Result.DUPLICATE))
    for some in chunks(list(refused)):
        asked_why = select(d.cd_lsh, d.error_column, d.msg).where(d.cd_lsh.in_(some)).order_by(d.id)
        for lsh, column, message in connection.execute(asked_why):
            lines.append(
                AnswerLine(cd_id=refused[lsh], result=Result.REFUSED, code="90002", element=column, message=message)
            )
    return lines

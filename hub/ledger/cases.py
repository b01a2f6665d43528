"""Cases: what went wrong, who must act, until when.  Closed only by data that passed, or by a written waiver."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, String, bindparam, case, cast, func, select, text, update

from hub.ledger import bulk
from hub.ledger.sql import among, insert_of
from hub.ledger.tables import case_
from standards.digest import sm3, uuid7s
from standards.states import CaseClass, CaseState


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """A case to be opened, or to be told of again when it is open."""

    class_: CaseClass
    party: str
    code: str
    dataset: str = ""
    owner: str = ""
    key_hash: bytes | None = None
    submission_id: UUID | None = None
    row_no: int | None = None
    destination: str = ""
    parcel_id: UUID | None = None
    note: str = ""
    period_begin: date | None = None
    period_end: date | None = None
    element: str = ""
    rule: str = ""
    #: What the value looks like; an unknown code itself.
    pattern: str = ""

    @property
    def cause(self) -> str:
        """Which failure group it belongs to."""
        return cause_of(
            self.class_,
            self.party,
            self.dataset,
            self.destination,
            self.code,
            self.element,
            self.rule,
            self.pattern,
        )


@lru_cache(10_000)
def cause_of(*words: str) -> str:
    """The name of a failure group: class, party, data set, destination, code, element, rule, pattern."""
    return sm3("\x1f".join(words).encode("utf-8", "surrogatepass")).hex()[:16]


@dataclass(frozen=True, slots=True)
class Due:
    """Until when a case must be disposed of; `missing` says why that is not known."""

    at: datetime | None
    missing: str = ""


def open_many(connection: Connection, openings: Sequence[Opening], due: Due, now: datetime) -> int:
    """Open cases; one that is open for the same key, class and destination is told of again instead.

    Returns how many rows were written or told of again.
    """
    keyed: dict[tuple[Any, ...], Opening] = {}
    plain: list[Opening] = []
    for opening in openings:
        if opening.key_hash is None:
            plain.append(opening)
        else:
            keyed[(opening.key_hash, opening.owner, opening.class_, opening.destination)] = opening
    if plain:
        bulk.insert(connection, case_, _columns(plain, due, now), len(plain))
    if keyed:
        _open_keyed(connection, list(keyed.values()), due, now)
    return len(plain) + len(keyed)


def _columns(openings: Sequence[Opening], due: Due, now: datetime) -> dict[str, Any]:
    return {
        "id": uuid7s(len(openings)),
        "class_": [str(o.class_) for o in openings],
        "state": str(CaseState.OPEN),
        "party": [o.party for o in openings],
        "dataset": [o.dataset for o in openings],
        "owner": [o.owner for o in openings],
        "key_hash": [o.key_hash for o in openings],
        "submission_id": [o.submission_id for o in openings],
        "row_no": [o.row_no for o in openings],
        "destination": [o.destination for o in openings],
        "parcel_id": [o.parcel_id for o in openings],
        "code": [o.code for o in openings],
        "opened_at": now,
        "last_at": now,
        "due_at": due.at,
        "due_missing": due.missing,
        "note": [o.note for o in openings],
        "period_begin": [o.period_begin for o in openings],
        "period_end": [o.period_end for o in openings],
        "element": [o.element for o in openings],
        "rule": [o.rule for o in openings],
        "pattern": [o.pattern for o in openings],
        "cause": [o.cause for o in openings],
    }


def _open_keyed(connection: Connection, openings: list[Opening], due: Due, now: datetime) -> None:
    columns = _columns(openings, due, now)
    rows = [
        {name: (value[i] if isinstance(value, list) else value) for name, value in columns.items()}
        for i in range(len(openings))
    ]
    statement = insert_of(connection, case_)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[case_.c.key_hash, case_.c.owner, case_.c.class_, case_.c.destination],
        index_where=text("closed_at IS NULL AND key_hash IS NOT NULL"),
        set_={
            "last_at": now,
            "times": case_.c.times + 1,
            "state": str(CaseState.OPEN),
            "submission_id": new.submission_id,
            "row_no": new.row_no,
            "parcel_id": new.parcel_id,
            "code": new.code,
            "element": new.element,
            "rule": new.rule,
            "pattern": new.pattern,
            "cause": new.cause,
        },
    )
    connection.execute(statement, rows)


def any_open(connection: Connection, keys: Sequence[bytes]) -> bool:
    """True when one of these keys has an open case."""
    statement = (
        select(case_.c.id).where(among(connection, case_.c.key_hash, keys), case_.c.closed_at.is_(None)).limit(1)
    )
    return connection.execute(statement).first() is not None


def passed(
    connection: Connection,
    keys: Iterable[tuple[bytes, str, int]],
    *,
    destination: str,
    submission_id: UUID,
    now: datetime,
) -> int:
    """Data of these keys (key, owner, row) passed: close what was wrong with it here, or at `destination`."""
    by_key = {(key, owner): row for key, owner, row in keys}
    if not by_key:
        return 0
    found = connection.execute(
        select(case_.c.id, case_.c.key_hash, case_.c.owner).where(
            among(connection, case_.c.key_hash, list({k for k, _ in by_key})),
            case_.c.closed_at.is_(None),
            case_.c.destination == destination,
        )
    ).all()
    ending = [(identifier, row) for identifier, key, owner in found if (row := by_key.get((bytes(key), owner)))]
    if ending:
        statement = (
            update(case_)
            .where(case_.c.id == bindparam("which"))
            .values(
                state=str(CaseState.CLOSED),
                closed_at=now,
                closed_by="data",
                closing_id=submission_id,
                closing_row=bindparam("row"),
            )
        )
        connection.execute(statement, [{"which": identifier, "row": row} for identifier, row in ending])
    return len(ending)


def close(connection: Connection, *, parcel_id: UUID, by: str, now: datetime) -> int:
    """Close the open cases of a parcel: it went through after all, or a person decided."""
    return connection.execute(
        update(case_)
        .where(case_.c.parcel_id == parcel_id, case_.c.closed_at.is_(None))
        .values(state=str(CaseState.CLOSED), closed_at=now, closed_by=by)
    ).rowcount


def setup_is_open(connection: Connection, *, submission_id: UUID | None = None, destination: str = "") -> bool:
    """True when the operator was asked already to mend what stops a submission, or a whole destination."""
    return (
        connection.execute(select(case_.c.id).where(*_setup(submission_id, destination)).limit(1)).first() is not None
    )


def mended(
    connection: Connection, *, submission_id: UUID | None = None, destination: str = "", by: str, now: datetime
) -> int:
    """What stopped a submission, or a whole destination, stops it no more."""
    return connection.execute(
        update(case_)
        .where(*_setup(submission_id, destination))
        .values(state=str(CaseState.CLOSED), closed_at=now, closed_by=by)
    ).rowcount


def _setup(submission_id: UUID | None, destination: str) -> tuple[ColumnElement[bool], ...]:
    return (
        case_.c.class_ == CaseClass.SETUP,
        case_.c.submission_id == submission_id if submission_id is not None else case_.c.submission_id.is_(None),
        case_.c.destination == destination,
        case_.c.parcel_id.is_(None),
        case_.c.closed_at.is_(None),
    )


def open_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Open cases by party and class."""
    rows = connection.execute(
        select(case_.c.party, case_.c.class_, func.count())
        .where(case_.c.closed_at.is_(None))
        .group_by(case_.c.party, case_.c.class_)
    )
    return {(r[0], r[1]): r[2] for r in rows}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which open cases: all that fit what is given."""

    party: str = ""
    class_: str = ""
    dataset: str = ""
    code: str = ""
    destination: str | None = None
    ids: tuple[UUID, ...] = ()
    #: A failure group.
    cause: str = ""
    #: When they were opened: from, and before.
    since: datetime | None = None
    before: datetime | None = None

    def conditions(self) -> tuple[ColumnElement[bool], ...]:
        """For a WHERE."""
        named = {"party": self.party, "class_": self.class_, "dataset": self.dataset, "code": self.code}
        named["cause"] = self.cause
        found = [case_.c[name] == value for name, value in named.items() if value]
        if self.destination is not None:
            found.append(case_.c.destination == self.destination)
        if self.ids:
            found.append(case_.c.id.in_(list(self.ids)))
        if self.since is not None:
            found.append(case_.c.opened_at >= self.since)
        if self.before is not None:
            found.append(case_.c.opened_at < self.before)
        return (case_.c.closed_at.is_(None), *found)


@dataclass(frozen=True, slots=True)
class Group:
    """Open cases of one cause of one party, with the same day to be done by."""

    party: str
    class_: str
    dataset: str
    code: str
    destination: str
    count: int
    opened_at: datetime
    last_at: datetime
    due_at: datetime | None
    due_missing: str
    disposing: int
    sample: UUID


def groups(connection: Connection, which: Selection, limit: int = 500) -> list[Group]:
    """Open cases by cause and due time, the most urgent first."""
    names = (case_.c.party, case_.c.class_, case_.c.dataset, case_.c.code, case_.c.destination)
    disposing = func.sum(case((case_.c.state.in_([CaseState.DISPOSING, CaseState.REREPORTED]), 1), else_=0))
    found: list[Any] = list(
        connection.execute(
            select(
                *names,
                func.count(),
                func.min(case_.c.opened_at),
                func.max(case_.c.last_at),
                case_.c.due_at,
                func.max(case_.c.due_missing),
                disposing,
                func.min(cast(case_.c.id, String)),
            )
            .where(*which.conditions())
            .group_by(*names, case_.c.due_at)
            .order_by(case_.c.due_at.is_(None).desc(), case_.c.due_at, *names)
            .limit(limit)
        )
    )
    names_of_group = [one.name for one in fields(Group)]
    return [Group(**dict(zip(names_of_group, [*row[:-1], UUID(row[-1])], strict=True))) for row in found]


class Cause(NamedTuple):
    """All open cases of one cause of one party, whenever they are due."""

    party: str
    class_: str
    dataset: str
    code: str
    destination: str
    cases: int
    overdue: int
    opened_at: datetime
    #: The earliest; None where none of them has one.
    due_at: datetime | None
    due_missing: str


def causes(connection: Connection, now: datetime, parties: Collection[str] | None = None) -> list[Cause]:
    """Every cause of open cases, of these parties only where they are said; as many as settings and codes allow."""
    names = (case_.c.party, case_.c.class_, case_.c.dataset, case_.c.code, case_.c.destination)
    statement = select(
        *names,
        func.count(),
        func.sum(case((case_.c.due_at < now, 1), else_=0)),
        func.min(case_.c.opened_at),
        func.min(case_.c.due_at),
        func.max(case_.c.due_missing),
    ).where(case_.c.closed_at.is_(None))
    if parties is not None:
        statement = statement.where(among(connection, case_.c.party, list(parties)))
    return [Cause._make(row) for row in connection.execute(statement.group_by(*names)).all()]


def rows(connection: Connection, which: Selection, limit: int = 100) -> list[Any]:
    """Single open cases, the most urgent first."""
    statement = select(case_).where(*which.conditions()).order_by(case_.c.due_at.is_(None).desc(), case_.c.due_at)
    return list(connection.execute(statement.limit(limit)).all())


def one(connection: Connection, identifier: UUID) -> Any | None:
    """A case, open or not."""
    return connection.execute(select(case_).where(case_.c.id == identifier)).one_or_none()


def take(connection: Connection, which: Selection, note: str, by: str, now: datetime) -> int:
    """Somebody is at them."""
    values: dict[str, Any] = {"state": str(CaseState.DISPOSING), "taken_at": now, "taken_by": by[:80]}
    if note:
        values["note"] = func.substr(case_.c.note + "\n" + note, 1, 4000)
    return connection.execute(
        update(case_).where(*which.conditions(), case_.c.class_ != CaseClass.SETUP).values(**values)
    ).rowcount


def waive(connection: Connection, which: Selection, by: str, reason: str, now: datetime) -> int:
    """Closed without data, by a written waiver of a named person."""
    return connection.execute(
        update(case_)
        .where(*which.conditions())
        .values(
            state=str(CaseState.WAIVED),
            closed_at=now,
            closed_by=by[:80],
            note=func.substr(case_.c.note + "\n" + reason, 1, 4000),
        )
    ).rowcount


def rereported(connection: Connection, keys: Sequence[bytes]) -> int:
    """Data of these keys passed here and are on their way to the receiver that refused them."""
    return connection.execute(
        update(case_)
        .where(
            among(connection, case_.c.key_hash, keys),
            case_.c.closed_at.is_(None),
            case_.c.destination != "",
            case_.c.state != CaseState.REREPORTED,
        )
        .values(state=str(CaseState.REREPORTED))
    ).rowcount


def without_due(connection: Connection, limit: int) -> list[tuple[UUID, datetime]]:
    """Open cases whose due time waits for a calendar, and when they were opened."""
    statement = select(case_.c.id, case_.c.opened_at).where(case_.c.due_missing != "", case_.c.closed_at.is_(None))
    return [(row[0], row[1]) for row in connection.execute(statement.limit(limit)).all()]


def give_due(connection: Connection, dues: Sequence[tuple[UUID, datetime]]) -> None:
    """Fill due times in."""
    if dues:
        connection.execute(
            update(case_).where(case_.c.id == bindparam("which")).values(due_at=bindparam("at"), due_missing=""),
            [{"which": identifier, "at": at} for identifier, at in dues],
        )


def known_keys(connection: Connection, class_: CaseClass, keys: Sequence[bytes]) -> dict[bytes, tuple[UUID, bool]]:
    """Cases of a class with these keys, open or closed: id, and whether it is open."""
    found = connection.execute(
        select(case_.c.key_hash, case_.c.id, case_.c.closed_at)
        .where(among(connection, case_.c.key_hash, keys), case_.c.class_ == class_)
        .order_by(case_.c.opened_at)
    ).all()
    return {bytes(row[0]): (row[1], row[2] is None) for row in found}


def open_of(
    connection: Connection,
    class_: CaseClass,
    code: str,
    *,
    dataset: str,
    destination: str,
    begin: date | None,
    end: date | None,
    party: str = "",
    keyless: str = "",
) -> list[tuple[UUID, bytes, str]]:
    """Open cases of records whose code begins so, of one data set, period and destination: id, key, owner.

    `keyless`: a code whose key is no record's.
    """
    conditions = [
        case_.c.class_ == class_,
        case_.c.dataset == dataset,
        case_.c.destination == destination,
        case_.c.period_begin.is_not_distinct_from(begin),
        case_.c.period_end.is_not_distinct_from(end),
        case_.c.key_hash.is_not(None),
        case_.c.code.startswith(code, autoescape=True),
        case_.c.code != keyless,
        case_.c.closed_at.is_(None),
    ]
    if party:
        conditions.append(case_.c.party == party)
    found = connection.execute(select(case_.c.id, case_.c.key_hash, case_.c.owner).where(*conditions))
    return [(row[0], bytes(row[1]), row[2]) for row in found]


def close_ids(connection: Connection, identifiers: Sequence[UUID], by: str, now: datetime) -> int:
    """What was missing came."""
    if not identifiers:
        return 0
    return connection.execute(
        update(case_)
        .where(among(connection, case_.c.id, identifiers), case_.c.closed_at.is_(None))
        .values(state=str(CaseState.CLOSED), closed_at=now, closed_by=by)
    ).rowcount

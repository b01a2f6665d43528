"""What is compared between two hubs, out of the ledger: what a party reported to us, what we delivered to one.

A million heads are read in one scan each; what was delivered is told by the parcels' spans, so that deliveries are
looked at only where a parcel was not taken as a whole.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    and_,
    cast,
    literal,
    or_,
    select,
    type_coerce,
)

from hub.ledger.sql import among, in_parts
from hub.ledger.tables import delivery, origin_revision, parcel, record_head, submission
from hub.ledger.types import month_of
from hub.reconciliation.buckets import BUCKETS, Entry, Sums, mark_of, sums_of
from standards.digest import uuid7
from standards.states import DeliveryState, ParcelState

_ROWS = 20_000
#: Buckets, keys, spans named in one statement.
_NAMED = 200
_SETTLED = (ParcelState.ACCEPTED, ParcelState.PARTLY)
_TAKEN = (None, str(DeliveryState.ACCEPTED))

_h = record_head.c
_ORIGIN = and_(origin_revision.c.key_hash == _h.key_hash, origin_revision.c.owner == _h.owner)


# The upper side: what a party reported


def reported(
    connection: Connection, dataset: str, party: str, until: datetime, without: frozenset[bytes] = frozenset()
) -> tuple[Sums, list[bytes]]:
    """The buckets of what a party had reported to us at a moment; and keys that were revised since, which are left out.

    What is new since is left out without a word: the lower hub did not know either that it had arrived.
    """
    revised: list[bytes] = []
    # Looking the lower hub's revision up record by record costs three times the scan, and nearly all are the first.
    later_ones = _origins(connection) if _only_parcels(connection, party) else None
    columns: list[Any] = [_h.key_hash, _h.owner, _h.operation, type_coerce(_h.updated_at > until, Integer)]
    statement = select(*columns, literal(1)) if later_ones is not None else _with_origin(*columns)
    rows = connection.execute(
        statement.where(_h.dataset == dataset, _h.party == party).execution_options(yield_per=_ROWS)
    )

    def counted() -> Iterator[tuple[bytes, str, int]]:
        for key, owner, operation, later, given in rows:
            revision = later_ones[key].get(owner, 1) if later_ones and key in later_ones else given
            if later:
                if revision > 1:
                    revised.append(key)
            elif operation != "d" and key not in without:
                yield key, owner, revision

    return sums_of(counted()), revised


def _with_origin(*columns: Any) -> Select[Any]:
    return select(*columns, origin_revision.c.revision).join(origin_revision, _ORIGIN)


def _origins(connection: Connection) -> dict[bytes, dict[str, int]]:
    """Revisions that are not the first: by key and owner."""
    o = origin_revision.c
    found: dict[bytes, dict[str, int]] = {}
    for key, owner, revision in connection.execute(select(o.key_hash, o.owner, o.revision).where(o.revision != 1)):
        found.setdefault(key, {})[owner] = revision
    return found


def _only_parcels(connection: Connection, party: str) -> bool:
    """Whether everything a party handed over came in parcels, so that each of its records has a revision of the hub
    below."""
    s = submission.c
    other = select(s.id).where(s.party == party, s.kind != "parcel", s.origin_id.is_(None), s.test.is_(False))
    return connection.execute(other.limit(1)).first() is None


def reported_marks(connection: Connection, dataset: str, party: str, buckets: Sequence[int]) -> list[tuple[bytes, int]]:
    """Every record a party reported, of some buckets: key, and what stands for it."""
    return [
        (key, mark_of(key, owner, revision)) for key, owner, revision in _reported(connection, dataset, party, buckets)
    ]


def _reported(
    connection: Connection, dataset: str, party: str, buckets: Sequence[int]
) -> Iterator[tuple[bytes, str, int]]:
    for part in in_parts(buckets, _NAMED):
        for row in connection.execute(
            select(_h.key_hash, _h.owner, origin_revision.c.revision)
            .join(origin_revision, _ORIGIN)
            .where(_h.dataset == dataset, _h.party == party, _h.operation != "d", _in_buckets(part))
        ):
            yield row[0], row[1], row[2]


def reported_entries(
    connection: Connection, dataset: str, party: str, keys: Sequence[bytes], since: datetime
) -> list[Entry]:
    """Records with these keys that a party reported."""
    found = []
    for part in in_parts(keys, _NAMED):
        rows = connection.execute(
            select(_h.key_hash, _h.owner, origin_revision.c.revision, _h.cd_id, _h.updated_at, _h.operation)
            .join(origin_revision, _ORIGIN)
            .where(_h.dataset == dataset, _h.party == party, among(connection, _h.key_hash, part))
        )
        found += [Entry(r[0], r[1], r[2], r[3], young=r[4] > since, gone=r[5] == "d") for r in rows]
    return found


# The lower side: what was delivered


class Far(IntEnum):
    """How far a record came at a destination."""

    #: Not sent yet, or refused: this revision is not there.
    NOT_THERE = 0
    #: Sent, and nothing heard yet.
    SENT = 1
    TAKEN = 2


_SENT, _TAKEN_THERE = Far.SENT, Far.TAKEN


@dataclass(slots=True)
class Spans:
    """Which rows of which hand-overs went to a destination, and how far they came."""

    #: By hand-over: first row, last row, how far; in order.
    whole: dict[str, list[tuple[int, int, Far]]] = field(default_factory=dict)
    #: By hand-over and row, where a parcel did not fare as one.
    single: dict[str, dict[int, Far]] = field(default_factory=dict)

    def of(self, hand_over: str, row: int) -> Far | None:
        """None: it does not go there."""
        single = self.single.get(hand_over)
        if single is not None and (found := single.get(row)) is not None:
            return found
        spans = self.whole.get(hand_over)
        if spans is None:
            return None
        at = bisect_right(spans, row, key=_first) - 1
        return spans[at][2] if at >= 0 and row <= spans[at][1] else None


def _first(span: tuple[int, int, Far]) -> int:
    return span[0]


def spans_of(connection: Connection, destination: str, dataset: str) -> Spans:
    """Where the records of a data set went, and what became of them there."""
    spans = Spans()
    odd: list[tuple[UUID, int, int]] = []
    p = parcel.c
    rows = connection.execute(
        select(p.submission_id, p.first_row, p.last_row, p.count, p.state, p.accepted, p.sent_at).where(
            p.destination == destination,
            p.dataset == dataset,
            p.state.notin_((ParcelState.SPLIT, ParcelState.SUPERSEDED)),
        )
    )
    for hand_over, first, last, count, state, accepted, sent_at in rows:
        far = _far(state, None, sent_at)
        if count == last - first + 1 and (far is not Far.TAKEN or accepted == count):
            spans.whole.setdefault(hand_over.hex, []).append((first, last, far))
        else:
            odd.append((hand_over, first, last))
    for place, held in spans.whole.items():
        spans.whole[place] = _joined(sorted(held))
    # Parcels of what was sent once more are as young as that, whatever they carry.
    months = [*connection.execute(select(submission.c.month).distinct()).scalars(), month_of(uuid7())]
    d = delivery.c
    for part in in_parts(odd, _NAMED):
        named = [and_(d.submission_id == one, d.row_no.between(first, last)) for one, first, last in part]
        found = connection.execute(
            select(d.submission_id, d.row_no, d.state, p.state, p.sent_at)
            .join(parcel, p.id == d.parcel_id)
            .where(d.month.in_(months), p.month.in_(months), d.destination == destination, or_(*named))
        )
        for hand_over, row, own, state, sent_at in found:
            spans.single.setdefault(hand_over.hex, {})[row] = _far(state, own, sent_at)
    return spans


def _joined(held: list[tuple[int, int, Far]]) -> list[tuple[int, int, Far]]:
    """Spans that follow each other and fared alike as one."""
    found: list[tuple[int, int, Far]] = []
    for first, last, far in held:
        if found and found[-1][2] is far and found[-1][1] + 1 == first:
            found[-1] = (found[-1][0], last, far)
        else:
            found.append((first, last, far))
    return found


def _far(state: str, own: str | None, sent_at: datetime | None) -> Far:
    if state in _SETTLED:
        return Far.TAKEN if own in _TAKEN else Far.NOT_THERE
    if state == ParcelState.REFUSED:
        return Far.TAKEN if own == DeliveryState.ACCEPTED else Far.NOT_THERE
    return Far.SENT if state in (ParcelState.SENDING, ParcelState.AWAITING) or sent_at is not None else Far.NOT_THERE


def delivered(connection: Connection, spans: Spans, dataset: str, since: datetime) -> tuple[Sums, list[bytes]]:
    """The buckets of what was taken there; and the keys of which nobody can say what is there: sent and not answered,
    or a newer revision is not there yet.

    `since`: what changed after it may have done so while this is read.
    """
    under_way: list[bytes] = []
    young = type_coerce(_h.updated_at > since, Integer)
    rows = connection.execute(
        select(_h.key_hash, _h.owner, _h.revision, _h.operation, _hand_over(connection), _h.row_no, young)
        .where(_h.dataset == dataset)
        .execution_options(yield_per=_ROWS)
    )
    dashed = connection.dialect.name == "postgresql"

    def counted() -> Iterator[tuple[bytes, str, int]]:
        # Most records stand beside others of the same hand-over, which fared as one.
        last, first_row, last_row, alike = "", 0, 0, False
        for key, owner, revision, operation, place, row, changed in rows:
            if place != last:
                last, hand_over = place, place.replace("-", "") if dashed else place
                held = spans.whole.get(hand_over)
                alike = held is not None and len(held) == 1 and held[0][2] == _TAKEN_THERE
                alike = alike and hand_over not in spans.single
                if alike and held is not None:
                    first_row, last_row, _ = held[0]
            far = _TAKEN_THERE if alike and first_row <= row <= last_row else spans.of(hand_over, row)
            if far == _TAKEN_THERE:
                if operation != "d":
                    yield key, owner, revision
            elif far == _SENT or (revision > 1 and (far is not None or changed)):
                under_way.append(key)

    return sums_of(counted()), under_way


def delivered_marks(
    connection: Connection, spans: Spans, dataset: str, buckets: Sequence[int]
) -> list[tuple[bytes, int]]:
    """Every record that was taken there, of some buckets."""
    found = []
    for part in in_parts(buckets, _NAMED):
        rows = connection.execute(
            select(_h.key_hash, _h.owner, _h.revision, _h.submission_id, _h.row_no).where(
                _h.dataset == dataset, _h.operation != "d", _in_buckets(part)
            )
        )
        found += [(r[0], mark_of(r[0], r[1], r[2])) for r in rows if spans.of(r[3].hex, r[4]) is Far.TAKEN]
    return found


def delivered_entries(
    connection: Connection, spans: Spans, dataset: str, keys: Sequence[bytes], since: datetime
) -> list[Entry]:
    """Records with these keys that go there."""
    found = []
    columns = (_h.key_hash, _h.owner, _h.revision, _h.cd_id, _h.updated_at, _h.party, _h.operation)
    for part in in_parts(keys, _NAMED):
        rows = connection.execute(
            select(*columns, _h.submission_id, _h.row_no).where(
                _h.dataset == dataset, among(connection, _h.key_hash, part)
            )
        )
        for r in rows:
            far, young = spans.of(r[7].hex, r[8]), r[4] > since
            # A revision that came after the spans were read may well go there: nothing can be said of it yet.
            if far is not None or young:
                settled = far is Far.TAKEN
                found.append(Entry(r[0], r[1], r[2], r[3], young, settled, party=r[5], gone=r[6] == "d"))
    return found


def _hand_over(connection: Connection) -> ColumnElement[str]:
    """As text: a million UUID objects cost more than the scan."""
    if connection.dialect.name == "postgresql":
        return cast(_h.submission_id, String)
    return type_coerce(_h.submission_id, String)


def _in_buckets(numbers: Sequence[int]) -> ColumnElement[bool]:
    return or_(*(_in_bucket(number) for number in numbers))


def _in_bucket(number: int) -> ColumnElement[bool]:
    first = (number << 4).to_bytes(2)
    if number == BUCKETS - 1:
        return _h.key_hash >= first
    return and_(_h.key_hash >= first, _h.key_hash < ((number + 1) << 4).to_bytes(2))

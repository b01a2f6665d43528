"""Which records a replay takes: of open cases, of a receipt, or of a filter and a time; from a stage on."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection

from hub.ledger import choices, replays, submissions
from hub.ledger.cases import Selection
from hub.ledger.choices import Records
from hub.ledger.replays import Part, Stage
from standards.errors import BadRecord, UnknownName
from standards.states import Verdict

#: Verdicts that a choice without any means, by stage; and when single records are named.
_USUAL = {
    Stage.RAW: (str(Verdict.REJECTED),),
    Stage.MAPPED: (str(Verdict.ACCEPTED), str(Verdict.HELD)),
    Stage.DELIVERY: (str(Verdict.ACCEPTED),),
}
_EVERY = tuple(str(one) for one in Verdict)


def planned(
    read: Connection,
    which: Selection,
    receipt_no: str,
    rows: Sequence[int],
    stage: Stage,
    verdicts: Sequence[str],
    connection: str,
    destinations: Sequence[str],
) -> list[Part]:
    """The parts of a replay.  Raises UnknownName, and BadRecord when nothing is chosen."""
    by_cases = not receipt_no and not verdicts and not connection
    by_cases = by_cases and bool(stage is Stage.RAW or which.code or which.cause or which.class_ or which.ids)
    origin = _submission(read, receipt_no) if receipt_no else None
    if by_cases:
        parts = replays.of_cases(read, which)
        parts = choices.with_content(read, parts) if stage is Stage.MAPPED else parts
    elif stage is Stage.RAW and origin is not None and not verdicts:
        parts = replays.of_submission(read, origin, rows)
    else:
        usual = _EVERY if rows else _USUAL[stage]
        wanted = Records(
            tuple(verdicts) or usual,
            which.party,
            which.dataset,
            connection,
            which.since,
            which.before,
            origin,
            tuple(rows),
        )
        if wanted == Records(wanted.verdicts):
            raise BadRecord(
                "say which: party, data set, connection, receipt or time",
                what_zh="请说明范围：单位、数据集、接入、回执或时间",
            )
        parts = choices.of_records(read, wanted, mapped=stage is Stage.MAPPED)
    if stage is Stage.RAW:
        return of_origins(read, parts)
    return parts if stage is Stage.MAPPED else choices.parcels_of(read, parts, destinations)


def _submission(connection: Connection, receipt_no: str) -> UUID:
    found = submissions.by_receipt(connection, receipt_no)
    if found is None:
        raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
    return found.id


def of_origins(connection: Connection, parts: Sequence[Part]) -> list[Part]:
    """Parts of what was itself a replay, in the rows of what was handed over; each hand-over once."""
    rows: dict[UUID, dict[int, None]] = {}
    for part in parts:
        origin, numbers = part.origin_id, list(part.rows)
        found = submissions.get(connection, origin)
        while found is not None and found.origin_id is not None:
            taken = replays.taken_by(connection, found.id)
            sorted_rows = sorted(taken.rows)
            origin, numbers = taken.source_id, [sorted_rows[n - 1] for n in numbers if n <= len(sorted_rows)]
            found = submissions.get(connection, origin)
        if found is not None:
            rows.setdefault(origin, {}).update(dict.fromkeys(numbers))
    return [Part(origin, tuple(sorted(numbers))) for origin, numbers in rows.items()]

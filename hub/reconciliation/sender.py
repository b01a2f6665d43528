"""A sender, by its statement: what it says it handed over against what was read here in the same days."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, func, select

from hub.ledger import reconciliations
from hub.ledger.reconciliations import KEPT, Difference, Outcome
from hub.ledger.sql import among, in_parts
from hub.ledger.tables import record, record_head, submission
from hub.reconciliation.buckets import bucket_of
from hub.reconciliation.figures import Figures, figures, in_days
from hub.reconciliation.statement import Stated
from standards.clock import SHANGHAI

WAY = "statement"
_NAMED = 500
_NONE = Figures()


def against_sender(connection: Connection, party: str, owner: str, stated: Stated) -> Outcome:
    """Compare one data set and period of a statement.  `owner`: whose records they are where nothing else is said."""
    theirs = {"read": stated.records} | ({"keys": len(stated.keys)} if stated.keys else {})
    outcome = by_count(connection, party, stated.dataset, stated.begin, stated.end, theirs)
    if not stated.keys:
        return outcome
    here = _keys_of(connection, party, stated)
    known = here.keys() | _known(connection, [key for key in stated.keys if key not in here])
    extra = [
        Difference("extra", stated.keys[key][:100], owner, key, bucket_of(key), party)
        for key in stated.keys
        if key not in known
    ]
    missing = [
        Difference("missing", cd_id, whose, key, bucket_of(key), party)
        for key, (whose, cd_id) in here.items()
        if key not in stated.keys
    ]
    return replace(
        outcome,
        # Key by key is more than their number, unless the number itself was stated too.
        agrees=outcome.agrees or stated.records == len(stated.keys),
        extra=len(extra),
        missing=len(missing),
        differences=[*extra[:KEPT], *missing[: max(0, KEPT - len(extra))]],
    )


def by_count(
    connection: Connection, party: str, dataset: str, begin: date, end: date, theirs: Mapping[str, Any]
) -> Outcome:
    """How many were read here, and what became of them; records of these days that came later count too."""
    found = figures(connection, begin, end, party=party, dataset=dataset, replays=False).get((party, dataset), _NONE)
    stated = int(theirs.get("read", 0))
    ours = {name: n for name, n in found.told().items() if name not in ("delivered", "receipted", "refused")}
    if found.read < stated:
        ours["later"] = _later(connection, party, dataset, begin, end)
    agrees = stated == found.read or stated == found.read + ours.get("later", 0)
    return Outcome(
        way=WAY, counterpart=party, party=party, dataset=dataset, begin=begin, end=end, ours=ours, theirs=theirs,
        agrees=agrees,
    )  # fmt: skip


def anew(connection: Connection, row: Any, theirs: Mapping[str, Any]) -> Outcome:
    """A statement that did not agree, compared once more: what was only there may have come since."""
    outcome = by_count(connection, row.party, row.dataset, row.period_begin, row.period_end, theirs)
    kept = reconciliations.differences(connection, row.id)
    if not kept:
        return outcome
    known = _known(connection, [bytes(one.key_hash) for one in kept if one.kind == "extra"])
    left = [one for one in kept if one.kind != "extra" or bytes(one.key_hash) not in known]
    # Kept are the first of many: as long as there are more, nothing can be said of them.
    unkept = row.missing + row.extra - len(kept)
    kinds = [one.kind for one in left]
    agrees = outcome.agrees or theirs["read"] == theirs.get("keys")
    return replace(outcome, agrees=agrees, missing=kinds.count("missing"), extra=kinds.count("extra") + unkept)


def _later(connection: Connection, party: str, dataset: str, begin: date, end: date) -> int:
    """Records whose event lies in these days and which came after them."""
    found = connection.execute(
        select(func.count())
        .select_from(record_head)
        .where(
            record_head.c.dataset == dataset,
            record_head.c.party == party,
            record_head.c.event_date.between(begin.isoformat(), end.isoformat()),
            record_head.c.updated_at >= datetime.combine(end + timedelta(days=1), time(), SHANGHAI),
            record_head.c.revision == 1,
        )
    ).scalar_one()
    return int(found)


def _keys_of(connection: Connection, party: str, stated: Stated) -> dict[bytes, tuple[str, str]]:
    """The keys that were read of these days, whatever became of them: owner and exchange key."""
    which = in_days(stated.begin, stated.end, party=party, dataset=stated.dataset, replays=False)
    rows = connection.execute(
        select(record.c.key_hash, record.c.owner, record.c.cd_id)
        .join(submission, (submission.c.month == record.c.month) & (submission.c.id == record.c.submission_id))
        .where(which, record.c.key_hash.is_not(None))
        .execution_options(yield_per=20_000)
    )
    return {bytes(key): (owner, cd_id) for key, owner, cd_id in rows}


def _known(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these keys belong to a record that is held."""
    found: set[bytes] = set()
    for part in in_parts(keys, _NAMED):
        statement = select(record_head.c.key_hash).where(among(connection, record_head.c.key_hash, part))
        found |= {bytes(key) for key in connection.execute(statement).scalars()}
    return found

"""A centre of the level above, by counts: its `reconciliation_report` against what it took of us; and ours for it.

Its reports come down like any record of that data set (out of dn_data_reconciliation through a connection of adapter
`table`, as a file, as a parcel); ours go up the same way, into up_data_reconciliation.  A report is about one
organisation, data set and day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from hub.dispatch.contents import Contents
from hub.ledger.reconciliations import Outcome
from hub.ledger.tables import record, submission
from hub.ledger.types import month_of
from hub.reconciliation.figures import Figures, digest_of, figures, still_there
from standards.clock import local_text
from standards.digest import sm3
from standards.errors import HubError
from standards.states import SubmissionState, Verdict

WAY = "centre"
REPORT = "reconciliation_report"
_DOWN, _UP = "dn", "up"
_AGREES, _DIFFERS = "1", "2"
_NONE = Figures()
#: What a centre counts, and what it is here.
_THEIRS = {"delivered": "front_count", "receipted": "right_count", "refused": "wrong_count"}
#: Of these both sides must say the same; what a centre calls wrong may have come again since.
_COMPARED = ("delivered", "receipted")


@dataclass(frozen=True, slots=True)
class Said:
    """One report of a centre."""

    org_code: str
    dataset: str
    day: date
    theirs: Mapping[str, Any]


def reports_since(
    connection: Connection, contents: Contents, parties: Sequence[str], since: datetime
) -> Iterator[tuple[UUID, datetime, str, list[Said]]]:
    """Hand-overs with reports judged since then: id, when, party, and what they say."""
    s = submission.c
    rows = connection.execute(
        select(s.id, s.judged_at, s.party)
        .where(
            s.party.in_(list(parties)),
            s.dataset == REPORT,
            s.test.is_(False),
            s.state.in_((SubmissionState.JUDGED, SubmissionState.SETTLED)),
            s.judged_at >= since,
        )
        .order_by(s.judged_at)
    ).all()
    for identifier, judged_at, party in rows:
        yield identifier, judged_at, party, list(_said(connection, contents, identifier))


def _said(connection: Connection, contents: Contents, hand_over: UUID) -> Iterator[Said]:
    r = record.c
    rows = connection.execute(
        select(r.chunk, r.idx)
        .where(
            r.month == month_of(hand_over),
            r.submission_id == hand_over,
            r.verdict == Verdict.ACCEPTED,
            r.operation != "d",
            r.idx.is_not(None),
        )
        .order_by(r.row_no)
    ).all()
    for seq, idx in rows:
        try:
            values = msgspec.json.decode(contents.of(connection, hand_over, seq).lines[idx], type=dict[str, str])
        except HubError:
            continue
        if values.get("direction") == _DOWN:
            theirs: dict[str, Any] = {name: int(values[element]) for name, element in _THEIRS.items()}
            theirs["digest"] = values["digest"]
            yield Said(values["org_code"], values["dataset"], date.fromisoformat(values["data_date"]), theirs)


def against_centre(
    connection: Connection,
    destination: str,
    party: str,
    dataset: str,
    day: date,
    theirs: Mapping[str, Any],
    *,
    digests: bool = False,
) -> Outcome:
    """Compare one report with what the destination took of that day's hand-overs."""
    key = (party, dataset)
    found = figures(connection, day, day, destination=destination, party=party, dataset=dataset).get(key, _NONE)
    ours: dict[str, Any] = found.told()
    agrees = all(ours[name] == theirs[name] for name in _COMPARED)
    if not agrees:
        # What was reported again since stands under a later day there; the report may be from before or after that.
        least = ours["still_there"] = still_there(connection, day, day, destination, key)
        agrees = all(least <= theirs[name] <= ours[name] for name in _COMPARED)
    if digests and agrees:
        ours["digest"] = digest_of(connection, day, day, destination, key)
        agrees = ours["digest"] == theirs.get("digest")
    return Outcome(
        way=WAY, counterpart=destination, party=party, dataset=dataset, begin=day, end=day, ours=ours, theirs=theirs,
        agrees=agrees,
    )  # fmt: skip


def our_reports(
    connection: Connection,
    destination: str,
    day: date,
    now: datetime,
    codes: Mapping[str, str],
    disagreeing: frozenset[tuple[str, str]] = frozenset(),
) -> list[dict[str, str]]:
    """What we tell a centre about a day: a record of `reconciliation_report` for each organisation and data set.

    `codes`: credit code of each party; `disagreeing`: parties and data sets that do not agree with it.
    """
    found = figures(connection, day, day, destination=destination)
    return [
        {
            "report_no": f"{day:%Y%m%d}-{sm3(f'{destination}|{codes[party]}|{dataset}'.encode()).hex()[:24]}",
            "direction": _UP,
            "dataset": dataset,
            "org_code": codes[party],
            "data_date": day.isoformat(),
            "front_count": str(one.read),
            "standard_count": str(one.read - one.rejected),
            "right_count": str(one.accepted + one.duplicate),
            "wrong_count": str(one.rejected),
            "delivered_count": str(one.delivered),
            "acked_count": str(one.receipted),
            "digest": digest_of(connection, day, day, destination, (party, dataset)),
            "result": _DIFFERS if (party, dataset) in disagreeing else _AGREES,
            "report_time": local_text(now),
        }
        for (party, dataset), one in sorted(found.items())
        if party in codes and dataset != REPORT and one.delivered
    ]

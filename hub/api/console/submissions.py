"""Hand-overs: a list to look through, and a form for one."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Query, Response, UploadFile

from hub.api.access import may_use
from hub.api.console.visit import DAY, Page, Viewer, Visit, acts
from hub.ledger import handed, submissions
from hub.ledger.handed import Wanted
from hub.ledger.submissions import Submission
from standards.clock import SHANGHAI, local_text
from standards.ports import HandOver
from standards.rights import Right
from standards.states import word

router = APIRouter(route_class=Page)

#: Hand-overs on one page.
_PAGE = 50
Which = Literal["", "faulty", "working", "judged", "settled", "stalled"]
_STATES = {"working": ("received", "translating"), "judged": ("judged",), "settled": ("settled",)}


@router.get("/submissions")
def listed(
    visit: Viewer,
    which: Which = "",
    name: Annotated[str, Query(max_length=100)] = "",
    since: Annotated[str, Query(pattern=DAY)] = "",
    until: Annotated[str, Query(pattern=DAY)] = "",
    before: Annotated[str, Query(max_length=24)] = "",
) -> Response:
    """The newest hand-overs, by state, file name and day; and a form to hand over a file."""
    with visit.hub.ledger.read() as connection:
        last = submissions.by_receipt(connection, before) if before else None
        wanted = Wanted(
            party=visit.party or None,
            states=_STATES.get(which, (which,) if which == "stalled" else ()),
            faulty=which == "faulty",
            name=name.strip(),
            since=_midnight(since),
            until=_midnight(until, 1),
            before=last.id if last is not None else None,
            limit=_PAGE + 1,
        )
        found = list(handed.chosen(connection, wanted))
    more = ""
    if len(found) > _PAGE:
        found = found[:_PAGE]
        more = urlencode({"which": which, "name": name, "since": since, "until": until, "before": found[-1].receipt_no})
    return visit.page(
        "submissions",
        "submissions",
        rows=[_row(one, visit) for one in found],
        uploads=_uploads(visit),
        ways=[one for one in get_args(Which) if one],
        more=more,
        which=which,
        file_name=name,
        since=since,
        until=until,
    )


def _midnight(day: str, later: int = 0) -> datetime | None:
    if not day:
        return None
    return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), SHANGHAI)


def _row(one: Submission, visit: Visit) -> dict[str, Any]:
    return {
        "receipt_no": one.receipt_no,
        "party": one.party,
        "connection": one.connection,
        "name": one.name,
        "state": word(one.state, visit.language),
        "unreadable": bool(one.problem),
        "received_at": local_text(one.received_at),
        "counts": {n: getattr(one, n) for n in ("read", "accepted", "rejected", "held", "duplicate")},
    }


def _uploads(visit: Visit) -> list[dict[str, str]]:
    generation = visit.hub.generations.current()
    uploads = []
    for name, said in generation.settings.connections.items():
        if visit.party and said.party == visit.party and visit.holder.may(Right.HAND_OVER):
            dataset = generation.dataset_of(name)
            plain = dataset if dataset and not said.mapping else ""
            title = generation.standard.dataset(plain).title if plain else ""
            uploads.append({"name": name, "shown": said.title or name, "dataset": plain, "title": title})
    return uploads


@router.post("/submissions")
def upload(
    visit: Annotated[Visit, Depends(acts(Right.HAND_OVER))],
    connection: Annotated[str, Form(max_length=63)],
    file: UploadFile,
    mends: Annotated[str, Form(max_length=24)] = "",
) -> Response:
    """A file, as a clerk hands it over; `mends`: the receipt whose faults it mends."""
    may_use(visit.hub, visit.holder, connection)
    hand_over = HandOver(
        connection=connection,
        name=(file.filename or "")[:255],
        content_type=file.content_type or "",
        actor=visit.holder.id,
        mends=mends,
    )
    kept = visit.hub.intake.receive(hand_over, iter(lambda: file.file.read(1 << 20), b""))
    return visit.back(f"submissions/{kept.receipt_no}")

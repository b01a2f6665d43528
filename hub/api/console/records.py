"""A record's page, in both rooms, and the operator's search."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Path, Query, Response

from hub.api.access import demand
from hub.api.console.flows import hand_over
from hub.api.console.visit import DAY, Page, ViewerOfRegion, Visit, acts
from hub.ledger import lists, submissions
from hub.records.search import MOST, Search
from hub.records.story import FULL, MASKED, NOTHING, Stories
from standards.clock import SHANGHAI
from standards.errors import UnknownName
from standards.rights import Right
from standards.states import SubmissionState, word

router = APIRouter(route_class=Page)
#: Pages of the operator only.
console = APIRouter(route_class=Page)

_PAGE = 50


@router.get("/records/of/{key}")
def newest(visit: ViewerOfRegion, key: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]) -> Response:
    """The newest revision of a record by the hash of its key, which tells nobody what the key is."""
    hub = visit.hub
    found = Search(hub.ledger, hub.generations, hub.clock).by_key(key, visit.party, visit.holder.id)
    one = next((one for one in _seen(visit, found) if one["receipt_no"]), None)
    if one is None:
        raise UnknownName("no record with this key", what_zh="没有主键相符的记录")
    return visit.back(f"records/{one['receipt_no']}/{one['row']}")


@router.get("/records/{receipt_no}/{row}")
def record(
    visit: ViewerOfRegion,
    receipt_no: Annotated[str, Path(max_length=24)],
    row: Annotated[int, Path(ge=1, lt=2**31)],
    full: bool = False,
) -> Response:
    """A record's whole way; bodies and personal elements as the viewer's rights allow, each look written down."""
    if full:
        demand(visit.holder, Right.BODIES)
        demand(visit.holder, Right.UNMASK)
    sees = (FULL if full else MASKED) if visit.holder.may(Right.BODIES) else NOTHING
    hub = visit.hub
    stories = Stories(hub.ledger, hub.generations, hub.clock, hub.seal, hub.receipts)
    party = visit.party
    if visit.holder.region:
        with hub.ledger.read() as connection:
            stored = submissions.by_receipt(connection, receipt_no)
        if stored is None or not visit.scope(stored.party):
            raise UnknownName(f"no record {receipt_no}#{row}", what_zh=f"没有记录 {receipt_no}#{row}")
        party = stored.party  # revisions that others reported are theirs
    one = stories.of(receipt_no, row, party=party, sees=sees, by=visit.holder.id, language=visit.language)
    return visit.page("record", "submissions", one=one, verdict=word(one["verdict"], visit.language))


class Filters:
    """Hand-overs by what is not personal: it may stand in an address."""

    def __init__(
        self,
        party: Annotated[str, Query(max_length=64)] = "",
        connection: Annotated[str, Query(max_length=64)] = "",
        state: Annotated[str, Query(max_length=12)] = "",
        since: Annotated[str, Query(pattern=DAY)] = "",
        until: Annotated[str, Query(pattern=DAY)] = "",
        before: Annotated[str, Query(max_length=24)] = "",
    ) -> None:
        self.party, self.connection, self.state = party, connection, state
        self.since, self.until, self.before = since, until, before

    @property
    def wanted(self) -> lists.Wanted:
        """For the ledger."""
        return lists.Wanted(
            party=self.party,
            connection=self.connection,
            state=self.state,
            since=_midnight(self.since),
            until=_midnight(self.until, 1),
        )

    def query(self, before: str) -> str:
        """The address of the next page."""
        named = {name: getattr(self, name) for name in ("party", "connection", "state", "since", "until")}
        return urlencode({**{n: v for n, v in named.items() if v}, "before": before})


def _midnight(day: str, later: int = 0) -> datetime | None:
    return datetime.combine(date.fromisoformat(day) + timedelta(days=later), time(), SHANGHAI) if day else None


@console.get("/search")
def search(visit: ViewerOfRegion, filters: Annotated[Filters, Depends()]) -> Response:
    """Hand-overs by party, connection, state and day, page by page; and the form for a number, key or subject.

    Who is confined to a region chooses one of its parties: a list of all would stop at receipts of others.
    """
    hub = visit.hub
    if visit.holder.region and not visit.scope(filters.party):
        return _page(visit, filters)
    with hub.ledger.read() as connection:
        last = submissions.by_receipt(connection, filters.before) if filters.before else None
        before = last.id if last is not None else None
        found = lists.page(connection, filters.wanted, hub.clock.now(), before=before, limit=_PAGE)
        further = submissions.get(connection, found.more) if found.more is not None else None
    more = filters.query(further.receipt_no) if further is not None else ""
    return _page(visit, filters, rows=[hand_over(visit, one) for one in found.rows], more=more)


@console.post("/search")
def find(
    visit: Annotated[Visit, Depends(acts(Right.SEE, regional=True))],
    what: Annotated[str, Form(min_length=1, max_length=400)],
    by: Annotated[Literal["any", "key", "subject", "person"], Form()] = "any",
) -> Response:
    """By number, business key, subject code or a person's number: typed into a form, so that it stands in no address.

    Who is asked about by a person's number is content: it needs the rights to it, and each search is written down.
    """
    hub = visit.hub
    desk = Search(hub.ledger, hub.generations, hub.clock, hub.seal)
    if by == "person":
        demand(visit.holder, Right.BODIES)
        demand(visit.holder, Right.UNMASK)
        return _page(visit, Filters(), found=_seen(visit, desk.by_person(what, visit.party, visit.holder.id)))
    number = desk.receipt(what)
    if number is not None and by == "any":
        row = f"records/{number[0]}/{number[1]}" if number[1] else f"submissions/{number[0]}"
        return visit.back(row)
    found: list[dict[str, Any]] = []
    if by in ("any", "key"):
        found += desk.by_key(what, visit.party, visit.holder.id)
    if by == "subject" or (by == "any" and not found):
        found += desk.by_subject(what, visit.party, visit.holder.id)
    return _page(visit, Filters(), found=_seen(visit, found))


def _seen(visit: Visit, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in found if visit.scope(one["party"])]


def _page(visit: Visit, filters: Filters, **more: Any) -> Response:
    settings = visit.hub.generations.current().settings
    shown = {"rows": None, "more": "", "found": None, "most": MOST, **more}
    return visit.page(
        "search",
        "search",
        filters=filters,
        parties=[(name, one.title) for name, one in settings.parties.items() if visit.scope(name)],
        states=[(str(one), word(one, visit.language)) for one in SubmissionState],
        **shown,
    )

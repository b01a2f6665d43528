"""A receipt as a page: on the screen to mend from, on paper to file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Response

from hub import again
from hub.api.access import in_full
from hub.api.console.visit import Page, ViewerOfRegion, Visit, sees, sheet
from hub.entry import connections
from hub.ledger import submissions
from hub.ledger.submissions import Submission
from hub.marked import Marked
from standards.clock import local_text
from standards.errors import UnknownName
from standards.places import in_words
from standards.rights import Right
from standards.states import word

router = APIRouter(route_class=Page)

#: Records with findings on one page.
_PAGE = 200
#: Seconds after which a receipt that has no verdict yet is looked at again.
_SOON = "2"
#: Earlier records that still have their faults, or did not come again, told one by one.
_TOLD = 50


@router.get("/submissions/{receipt_no}")
def receipt(visit: ViewerOfRegion, receipt_no: str, after: Annotated[int, Query(ge=0)] = 0) -> Response:
    """A receipt, record by record; how to mend what came back, and what became of it."""
    found, document = receipt_of(visit, receipt_no, after)
    generation = visit.hub.generations.current()
    hub = generation.settings.hub
    titles = {hub.name: hub.title, **{name: one.title for name, one in generation.settings.parties.items()}}
    may = visit.room == "sender" and found.origin_id is None and visit.holder.may(Right.HAND_OVER)
    settings = generation.settings.connections.get(found.connection)
    with visit.hub.ledger.read() as connection:
        mends, mended = again.links(connection, found.id)
        earlier = submissions.by_receipt(connection, mends[-1]) if mends else None
        judged = found.state in ("judged", "settled")
        became = again.compared(connection, earlier, found) if earlier is not None and judged else None
    page = visit.page(
        "receipt",
        "submissions",
        receipt=document,
        judged=judged,
        party=_title(titles, found.party),
        through=settings.title if settings is not None and settings.title else found.connection,
        deliveries=[_delivery(one, visit.language) for one in document["deliveries"]],
        speakers={one["speaker"]: _title(titles, one["speaker"]) for one in document["receipts"]},
        printed_at=local_text(visit.hub.clock.now()),
        address=str(visit.request.base_url).rstrip("/"),
        after=after,
        # A record can be mended in the form where the party has something that takes it in the standard's words.
        form=may and visit.holder.may(Right.BODIES) and found.dataset in connections(generation.settings, found.party),
        uploads=may and settings is not None and not settings.paused,
        dataset=generation.standard.title(found.dataset, visit.language),
        mends=mends,
        mended=mended,
        became=_became(became, visit.language) if became is not None else None,
    )
    if found.state in ("received", "translating"):
        page.headers["refresh"] = _SOON
    return page


def _title(titles: Mapping[str, str], name: str) -> str:
    return titles.get(name) or name


def _delivery(one: Mapping[str, Any], language: str) -> dict[str, Any]:
    states = [(word(state, language), number) for state, number in one["states"].items()]
    return {"title": one["title"] or one["destination"], "states": states}


def _became(one: again.Compared, language: str) -> dict[str, Any]:
    return {
        "gone": one.gone,
        "new": one.new,
        "still": [in_words(faulty.place, language) for faulty, _ in one.still[:_TOLD]],
        "still_count": len(one.still),
        "missing": [in_words(faulty.place, language) for faulty in one.missing[:_TOLD]],
        "missing_count": len(one.missing),
    }


@router.get("/submissions/{receipt_no}/marked.xlsx")
def marked(visit: Annotated[Visit, Depends(sees(Right.BODIES))], receipt_no: str) -> Response:
    """The clerk's own workbook with its faults marked; of others a sheet, masked without the right to more."""
    hub = visit.hub
    handed, _document = receipt_of(visit, receipt_no)
    masked = not in_full(visit.request, visit.holder, handed.party)
    found = Marked(hub.ledger, hub.generations, hub.receipts, hub.seal)
    return sheet(found.workbook(receipt_no, masked=masked), f"{receipt_no}.xlsx")


def receipt_of(visit: Visit, receipt_no: str, after: int = 0) -> tuple[Submission, dict[str, Any]]:
    """A hand-over that the visitor may see, with its receipt.  Raises UnknownName."""
    view = visit.hub.receipts.receipt(receipt_no, after=after, limit=_PAGE)
    with visit.hub.ledger.read() as connection:
        found = submissions.by_receipt(connection, receipt_no)
    if view is None or found is None or not visit.scope(found.party):
        raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
    document = dict(view.document)
    problem = document.get("problem")
    if isinstance(problem, dict):
        english = visit.language == "en"
        parts = (problem.get("what" if english else "what_zh"), problem.get("hint" if english else "hint_zh"))
        problem = (". " if english else "。").join(part for part in parts if part)
    document["problem"] = problem or ""
    document.setdefault("next", 0)
    for one in document["records"]:
        one["where"] = in_words(one["place"], visit.language) if one["place"] else str(one["row"])
    return found, document

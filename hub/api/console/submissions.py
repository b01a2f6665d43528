"""Hand-overs: the newest, a form for one, and what became of each."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response, UploadFile

from hub.api.access import may_use
from hub.api.console.visit import Page, Viewer, Visit, acts, sees, sheet
from hub.ledger import submissions
from hub.marked import Marked
from standards.clock import local_text
from standards.errors import UnknownName
from standards.ports import HandOver
from standards.rights import Right
from standards.states import word

router = APIRouter(route_class=Page)


@router.get("/submissions")
def listed(visit: Viewer) -> Response:
    """The newest hand-overs, and a form to hand over a file."""
    generation = visit.hub.generations.current()
    with visit.hub.ledger.read() as connection:
        found = list(submissions.listed(connection, party=visit.party or None, connection_name=None, limit=100))
    rows = [
        {
            "receipt_no": s.receipt_no,
            "party": s.party,
            "connection": s.connection,
            "name": s.name,
            "state": s.state,
            "state_zh": word(s.state),
            "received_at": local_text(s.received_at),
            "counts": {n: getattr(s, n) for n in ("read", "accepted", "rejected", "held", "duplicate")},
        }
        for s in found
    ]
    uploads = []
    for name, said in generation.settings.connections.items():
        if visit.party and said.party == visit.party and visit.holder.may(Right.HAND_OVER):
            dataset = generation.dataset_of(name)
            plain = dataset if dataset and not said.mapping else ""
            title = generation.standard.dataset(plain).title if plain else ""
            uploads.append({"name": name, "dataset": plain, "title": title})
    return visit.page("submissions", "submissions", rows=rows, uploads=uploads)


@router.post("/submissions")
def upload(
    visit: Annotated[Visit, Depends(acts(Right.HAND_OVER))],
    connection: Annotated[str, Form(max_length=63)],
    file: UploadFile,
) -> Response:
    """A file, as a clerk hands it over."""
    may_use(visit.hub, visit.holder, connection)
    hand_over = HandOver(
        connection=connection,
        name=(file.filename or "")[:255],
        content_type=file.content_type or "",
        actor=visit.holder.id,
    )
    kept = visit.hub.intake.receive(hand_over, iter(lambda: file.file.read(1 << 20), b""))
    return visit.back(f"submissions/{kept.receipt_no}")


@router.get("/submissions/{receipt_no}")
def receipt(visit: Viewer, receipt_no: str) -> Response:
    """A receipt, record by record."""
    return visit.page("receipt", "submissions", receipt=_receipt(visit, receipt_no))


@router.get("/submissions/{receipt_no}/marked.xlsx")
def marked(visit: Annotated[Visit, Depends(sees(Right.BODIES))], receipt_no: str) -> Response:
    """The clerk's own workbook with its faults marked."""
    hub = visit.hub
    _receipt(visit, receipt_no)
    found = Marked(hub.ledger, hub.generations, hub.receipts, hub.seal)
    return sheet(found.workbook(receipt_no), f"{receipt_no}.xlsx")


def _receipt(visit: Visit, receipt_no: str) -> dict[str, Any]:
    view = visit.hub.receipts.receipt(receipt_no)
    if view is None or (visit.party and view.document["party"] != visit.party):
        raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
    document = dict(view.document)
    problem = document.get("problem")
    if isinstance(problem, dict):
        problem = problem.get("what" if visit.language == "en" else "what_zh") or str(problem)
    document["problem"] = problem or ""
    return document

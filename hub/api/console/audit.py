"""The auditor's page: who did and looked at what, and whether the journal is whole."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Response

from hub.api.audit import begin_proof, wanted_of
from hub.api.console.visit import DAY, Page, Visit, acts, sees
from standards.errors import UnknownName
from standards.rights import Right

router = APIRouter(route_class=Page)

Word = Annotated[str, Query(max_length=80)]
Day = Annotated[str, Query(pattern=DAY)]


@router.get("/audit")
def audit(
    visit: Annotated[Visit, Depends(sees(Right.AUDIT))],
    actor: Word = "",
    action: Word = "",
    receipt_no: Annotated[str, Query(max_length=24)] = "",
    since: Day = "",
    until: Day = "",
    before: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """A page of the journal, and how its seals stand."""
    desk = visit.hub.auditing()
    wanted = wanted_of(actor, action, _day(since), _day(until), before, 100)
    filters = {"actor": actor, "action": action, "receipt_no": receipt_no, "since": since, "until": until}
    wrong = ""
    try:
        found = desk.entries(wanted, receipt_no.strip())
    except UnknownName as error:
        found, wrong = {"rows": [], "next": 0}, visit.wrong(error)
    older = urlencode({**{k: v for k, v in filters.items() if v}, "before": found["next"]}) if found["next"] else ""
    return visit.page(
        "audit", "audit", rows=found["rows"], older=older, filters=filters, state=desk.state(), wrong=wrong
    )


def _day(said: str) -> date | None:
    return date.fromisoformat(said) if said else None


@router.post("/audit")
def prove(visit: Annotated[Visit, Depends(acts(Right.AUDIT))]) -> Response:
    """Look through the whole journal."""
    begin_proof(visit.hub, visit.holder.id)
    return visit.back("audit", visit.text("proof_begun"))

"""Reports of a span, 整改通知 and 通报."""

from __future__ import annotations

from datetime import date
from typing import Annotated, get_args

from fastapi import APIRouter, Depends, Form, Query, Response

from hub.api.access import confine
from hub.api.console.visit import DAY, Page, Viewer, ViewerOfRegion, Visit, acts, sheet
from hub.reports.span import Every
from standards.rights import Right

router = APIRouter(route_class=Page)
#: Pages of the operator only.
console = APIRouter(route_class=Page)

At = Annotated[str, Query(pattern=DAY)]


@router.get("/reports")
def reports(visit: ViewerOfRegion, every: Every = "month", at: At = "") -> Response:
    """Figures, score and rank of a span; a party sees its own, a region those of its parties."""
    found = visit.hub.reports().report(every, date.fromisoformat(at) if at else None, visit.party, visit.holder.region)
    title, tables = visit.hub.report_tables(found, visit.language)
    shown = {"every": every, "at": at or found["last"], "spans": get_args(Every), "parties": found["parties"]}
    return visit.page("reports", "reports", title=title, tables=tables, **shown)


@router.get("/report.xlsx")
def report_sheet(visit: ViewerOfRegion, every: Every = "month", at: At = "") -> Response:
    """The same in Excel."""
    found = visit.hub.reports().report(every, date.fromisoformat(at) if at else None, visit.party, visit.holder.region)
    return sheet(visit.hub.report_sheet(found, visit.language), f"report-{every}-{found['first']}.xlsx")


@router.get("/rectification")
def rectification(visit: ViewerOfRegion, party: Annotated[str, Query(max_length=64)] = "") -> Response:
    """整改通知, to print or to send."""
    confine(visit.hub, visit.holder, visit.party or party)
    return visit.page("rectification", "reports", one=visit.hub.reports().rectification(visit.party or party))


@console.post("/rectification")
def rectify(
    visit: Annotated[Visit, Depends(acts(Right.CIRCULATE, regional=True))], party: Annotated[str, Form()]
) -> Response:
    """Send it."""
    confine(visit.hub, visit.holder, party)
    visit.hub.reports().send_rectification(party, visit.holder.id)
    return visit.back(f"rectification?party={party}", visit.text("sent"))


@console.get("/circular")
def circular(visit: Viewer) -> Response:
    """通报, to print or to send."""
    return visit.page("circular", "reports", one=visit.hub.reports().circular())


@console.post("/circular")
def announce(visit: Annotated[Visit, Depends(acts(Right.CIRCULATE))]) -> Response:
    """Send it."""
    visit.hub.reports().send_circular(visit.holder.id)
    return visit.back("circular", visit.text("sent"))

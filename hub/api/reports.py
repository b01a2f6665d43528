"""`/v1/reports`: evaluation by day, week, month, quarter, year; 整改通知 and 通报."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from hub.api.access import Circulates, CirculatesInRegion, SeesAll, SeesOfRegion, TheHub, confine
from hub.api.tasks import XLSX
from hub.reports.span import Every

router = APIRouter(prefix="/v1/reports", tags=["考核与报表 reports"])

TheSpan = Annotated[Every, Query(description="周期 day week month quarter year")]
At = Annotated[date | None, Query(description="期间内的任一天，缺省今天 any day of it, absent: today")]


class Addressed(BaseModel):
    """Whom a notice goes to."""

    party: str = Field(max_length=64, description="单位 party")


@router.get("", summary="考核报表 the report of a span")
def report(hub: TheHub, who: SeesOfRegion, every: TheSpan = "month", at: At = None) -> dict[str, Any]:
    """Shares are between 0 and 1, null where nothing can be told.

    A party sees its own rows and its place among all, a region its parties and their places among each other.
    """
    return hub.reports().report(every, at, "" if who.is_operator else who.party, who.region)


@router.get("/workbook", summary="考核报表 Excel the report as a workbook")
def workbook(hub: TheHub, who: SeesOfRegion, every: TheSpan = "month", at: At = None) -> Response:
    """The same figures."""
    found = hub.reports().report(every, at, "" if who.is_operator else who.party, who.region)
    headers = {"content-disposition": f'attachment; filename="report-{every}-{found["first"]}.xlsx"'}
    return Response(hub.report_sheet(found, "zh"), media_type=XLSX, headers=headers)


@router.get("/rectification", summary="整改通知 what a party must mend")
def rectification(hub: TheHub, who: SeesOfRegion, party: Annotated[str, Query(max_length=64)] = "") -> dict[str, Any]:
    """Its open cases and the term of the notice (articles 45 and 46); a party sees its own."""
    confine(hub, who, party)
    return hub.reports().rectification(party if who.is_operator else who.party)


@router.post("/rectification", summary="发出整改通知 send it as a message")
def rectify(hub: TheHub, who: CirculatesInRegion, body: Addressed) -> dict[str, Any]:
    """Told once a day; `sent` says how many messages were new."""
    confine(hub, who, body.party)
    return hub.reports().send_rectification(body.party, str(who.id))


@router.get("/circular", summary="通报 what is overdue, by party")
def circular(hub: TheHub, _who: SeesAll) -> dict[str, Any]:
    """The document."""
    return hub.reports().circular()


@router.post("/circular", summary="发出通报 send it to everybody in it and to the level above")
def announce(hub: TheHub, who: Circulates) -> dict[str, Any]:
    """Told once a day; `sent` says how many messages were new."""
    return hub.reports().send_circular(str(who.id))

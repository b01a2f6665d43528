"""`/v1/repairs`: values mended by rule, rehearsed, approved by a second person, run, undone."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.access import Repairs, TheHub
from hub.api.replays import Choice
from hub.ledger.replays import Stage
from hub.repair import Repair, Step

router = APIRouter(prefix="/v1/repairs", tags=["修复 repairs"])


class Mending(Choice):
    """Which records, and what is mended in them, in the sender's own words."""

    steps: list[Step] = Field(min_length=1, max_length=50, description="修复步骤，依次执行 one after the other")
    stage: Literal[Stage.RAW] = Field(Stage.RAW, description="修复总是从原始数据开始 a repair begins with the raw data")
    consent: str = Field(
        "", max_length=200, description="数据归属单位的同意人（更改含义时必填，第十九条）who of the owner allowed it"
    )


class Why(BaseModel):
    """Why it is undone."""

    reason: str = Field(min_length=1, max_length=500, description="原因 why")


@router.post("/rehearsal", summary="预演修复 how many would pass, before and after side by side")
def rehearse(hub: TheHub, _who: Repairs, body: Mending) -> dict[str, Any]:
    """Nothing is written."""
    desk = hub.replays()
    return desk.rehearse(body.parts(desk), Repair(tuple(body.steps)))


@router.post("", summary="修复并重放 mend and replay", status_code=202)
def start(hub: TheHub, who: Repairs, body: Mending) -> dict[str, Any]:
    """The raw bytes stay; a repair that a second person must approve stands in the state `waiting`."""
    desk = hub.replays()
    return desk.start(
        body.parts(desk),
        str(who.id),
        body.reason,
        body.told(),
        repair=Repair(tuple(body.steps)),
        consent=body.consent,
    )


@router.post("/{repair}/approve", summary="批准修复 a second person lets it run")
def approve(hub: TheHub, who: Repairs, repair: UUID) -> dict[str, Any]:
    """Not by who planned it."""
    return hub.replays().approve(repair, str(who.id))


@router.post("/{repair}/undo", summary="撤销修复 take back what it let through", status_code=202)
def undo(hub: TheHub, who: Repairs, repair: UUID, body: Why) -> dict[str, Any]:
    """Withdrawn at the receivers, and its cases open again; `left`: what stays because it was reported otherwise."""
    return hub.replays().undo(repair, str(who.id), body.reason)

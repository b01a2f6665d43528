"""`/v1/replays`: stored records through today's mapping and settings once more."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import BaseModel, Field

from hub.api.access import Operator, TheHub
from hub.ledger.cases import Selection
from hub.replay import chosen_of

router = APIRouter(prefix="/v1/replays", tags=["重放 replays"])


class Choice(BaseModel):
    """Which records: those of open cases that fit, or those of one hand-over."""

    party: str = Field("", max_length=64, description="单位 party")
    dataset: str = Field("", max_length=64, description="数据集 data set")
    code: str = Field("", max_length=40, description="代码 finding code")
    receipt_no: str = Field("", max_length=24, description="回执编号 of one hand-over")
    rows: list[Annotated[int, Field(ge=1)]] = Field(
        [], max_length=100_000, description="第几条，缺省为全部退回的 which of it; absent: all that were rejected"
    )
    reason: str = Field("", max_length=500, description="原因 why")

    def which(self) -> Selection:
        """As the ledger takes it."""
        return Selection(self.party, "", self.dataset, self.code)


@router.get("", summary="重放列表 replays")
def listed(hub: TheHub, _who: Operator) -> list[dict[str, Any]]:
    """The newest first."""
    return hub.replays().listed()


@router.post("/rehearsal", summary="预演 how many would pass now")
def rehearse(hub: TheHub, _who: Operator, body: Choice) -> dict[str, Any]:
    """Nothing is written."""
    desk = hub.replays()
    return desk.rehearse(desk.plan(body.which(), body.receipt_no, body.rows))


@router.post("", summary="重放 replay", status_code=202)
def start(hub: TheHub, who: Operator, body: Choice) -> dict[str, Any]:
    """Each hand-over becomes one of its own, linked to the original; nothing is stored or delivered twice."""
    desk = hub.replays()
    parts = desk.plan(body.which(), body.receipt_no, body.rows)
    return desk.start(parts, str(who.id), body.reason, chosen_of(body.which(), body.receipt_no, body.rows))


@router.get("/{replay}", summary="重放进度 how far it has come")
def one(hub: TheHub, _who: Operator, replay: UUID) -> dict[str, Any]:
    """Parts begun and unfinished, verdicts of its records."""
    return hub.replays().one(replay)


@router.post("/{replay}/{turn}", summary="暂停、继续、取消 pause, resume, cancel")
def turn(hub: TheHub, who: Operator, replay: UUID, turn: Literal["pause", "resume", "cancel"]) -> dict[str, Any]:
    """What was begun is finished; a cancelled replay begins nothing further."""
    return hub.replays().turn(replay, turn, str(who.id))

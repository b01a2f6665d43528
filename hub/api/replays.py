"""`/v1/replays`: stored records through today's mapping and settings once more."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import AwareDatetime, BaseModel, Field

from hub.api.access import Replays, TheHub
from hub.ledger.cases import Selection
from hub.ledger.replays import Part, Stage
from hub.replay import ReplayDesk, chosen_of
from standards.states import Verdict

router = APIRouter(prefix="/v1/replays", tags=["重放 replays"])


class Choice(BaseModel):
    """Which records: those of open cases that fit, of one hand-over, or of what was handed over in a time."""

    stage: Stage = Field(Stage.RAW, description="从哪一步起 raw 原始数据；mapped 映射后的内容；delivery 只重新投递")
    group: str = Field("", max_length=16, description="异常组 failure group")
    connection: str = Field("", max_length=64, description="接入 connection")
    verdicts: list[Verdict] = Field(
        [], max_length=4, description="结论，缺省按阶段 verdicts; absent: of open cases, or what the stage can take"
    )
    since: AwareDatetime | None = Field(None, description="从（异常的发现时刻或报送时刻）from, inclusive")
    before: AwareDatetime | None = Field(None, description="到（不含）before")
    destinations: list[str] = Field(
        [], max_length=100, description="投递目标，缺省全部（仅 delivery）destinations; absent: all of them"
    )
    sure: str = Field(
        "",
        max_length=200,
        description="对方不能识别重复时，谁确认重发无害、依据 who answers for a repeat where it cannot be told",
    )
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
        return Selection(
            self.party, "", self.dataset, self.code, cause=self.group, since=self.since, before=self.before
        )

    def parts(self, desk: ReplayDesk) -> list[Part]:
        """What is chosen.  Raises UnknownName, BadRecord."""
        return desk.plan(
            self.which(),
            self.receipt_no,
            self.rows,
            stage=self.stage,
            verdicts=self.verdicts,
            connection=self.connection,
            destinations=self.destinations,
        )

    def told(self) -> dict[str, Any]:
        """The choice as it is written down."""
        return chosen_of(
            self.which(),
            self.receipt_no,
            self.rows,
            stage="" if self.stage is Stage.RAW else str(self.stage),
            connection=self.connection,
            verdicts=[str(one) for one in self.verdicts],
            destinations=self.destinations,
        )


@router.get("", summary="重放列表 replays")
def listed(hub: TheHub, _who: Replays) -> list[dict[str, Any]]:
    """The newest first."""
    return hub.replays().listed()


@router.post("/rehearsal", summary="预演 how many would pass now")
def rehearse(hub: TheHub, _who: Replays, body: Choice) -> dict[str, Any]:
    """Nothing is written."""
    desk = hub.replays()
    return desk.rehearse(body.parts(desk), stage=body.stage)


@router.post("", summary="重放 replay", status_code=202)
def start(hub: TheHub, who: Replays, body: Choice) -> dict[str, Any]:
    """Each hand-over becomes one of its own, linked to the original; nothing is stored or delivered twice.

    From the stage `delivery` on, parcels that were accepted are sent once more under their own ids; a receiver that
    cannot tell a repeat gets them only on a person's word.
    """
    desk = hub.replays()
    return desk.start(body.parts(desk), str(who.id), body.reason, body.told(), stage=body.stage, sure=body.sure)


@router.get("/{replay}", summary="重放进度 how far it has come")
def one(hub: TheHub, _who: Replays, replay: UUID) -> dict[str, Any]:
    """Parts begun and unfinished, verdicts of its records."""
    return hub.replays().one(replay)


@router.post("/{replay}/{turn}", summary="暂停、继续、取消 pause, resume, cancel")
def turn(hub: TheHub, who: Replays, replay: UUID, turn: Literal["pause", "resume", "cancel"]) -> dict[str, Any]:
    """What was begun is finished; a cancelled replay begins nothing further."""
    return hub.replays().turn(replay, turn, str(who.id))

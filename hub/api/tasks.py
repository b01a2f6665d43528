"""`/v1/tasks`: what must be answered, by whom, until when; and the steps that answer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from hub.api.access import (
    DoesTasks,
    DoesTasksOfRegion,
    SeesAll,
    SeesOfRegion,
    TheHub,
    confine,
    in_scope,
    keeper_of,
    may_use,
)
from hub.bootstrap import Hub
from hub.judge import judge
from hub.ledger.credentials import Holder
from hub.tasks import OPERATOR, Tasks
from hub.tasks import Caller as Who
from standards.exports import workbook
from standards.flows import StepNotAllowed
from standards.rights import Right

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

router = APIRouter(prefix="/v1/tasks", tags=["任务 tasks"])


class Step(BaseModel):
    """A step and what is said with it."""

    step: str = Field(max_length=40, description="步骤 one of the task's `allowed` steps")
    said: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=4000)]] = Field(
        {}, description="数据项及其值；`party` 为转给的接入方 elements of the answer; `party`: who it goes to"
    )


def desk(hub: Hub) -> Tasks:
    """The tasks behind the door."""

    def faults(connection: str, body: bytes) -> list[dict[str, Any]]:
        records: list[dict[str, Any]] = judge(hub, connection, body, "answer.json", "application/json")["records"]
        return records

    return hub.tasks(faults)


def _who(holder: Holder) -> Who:
    actor = holder.id if holder.user else holder.party or "operator"
    return Who(OPERATOR if holder.is_operator else holder.party, actor, plain=holder.may(Right.UNMASK))


@router.get("", summary="我的任务 my tasks")
def find(
    hub: TheHub,
    who: SeesOfRegion,
    flow: Annotated[str, Query(max_length=40, description="只要这个流程 this flow only")] = "",
    number: Annotated[str, Query(max_length=200, description="来源编号 the number its source gave it")] = "",
    ended: Annotated[bool, Query(description="也要已办结的 those that ended too")] = False,
    pool: Annotated[bool, Query(description="只要待派发、待认领的 those that belong to nobody yet")] = False,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> list[dict[str, Any]]:
    """Those to be answered and those sent by the caller, the most urgent first; the operator sees all."""
    found = desk(hub).find(_who(who), flow=flow, number=number, ended=ended, pool=pool, limit=limit)
    return [one for one in found if not who.region or _of_region(hub, who, one)]


def _of_region(hub: Hub, who: Holder, one: Mapping[str, Any]) -> bool:
    return in_scope(hub, who, one["assignee"]) or in_scope(hub, who, one["sender"])


class NewTask(BaseModel):
    """What is asked of somebody: a record of a data set that opens tasks."""

    connection: str = Field(max_length=63, description="接入（tasks = true）connection whose records open tasks")
    values: dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=65535)]] = Field(
        description="数据项及其值 elements of the record"
    )


@router.post("", summary="发起任务 open a task", status_code=202)
def open_task(hub: TheHub, who: DoesTasks, body: NewTask) -> dict[str, Any]:
    """The record is judged at once: with a fault nothing is kept; else it takes the road of every record."""
    may_use(hub, who, body.connection)
    if not hub.generations.current().connection(body.connection).tasks:
        raise StepNotAllowed(f"{body.connection} opens no tasks", what_zh=f"接入 {body.connection} 未开启任务（tasks）")
    receipt_no = desk(hub).open(_who(who), body.connection, body.values)
    return {"receipt_no": receipt_no}


@router.get("/counts", summary="任务统计 open and overdue tasks by flow, state and assignee")
def counts(hub: TheHub, _who: SeesAll) -> list[dict[str, Any]]:
    """How many stand where, and how many of them are overdue; no assignee: the pool."""
    return desk(hub).counts()


@router.get("/worklist.xlsx", summary="待办清单（Excel）my work list", response_class=Response)
def worklist(
    hub: TheHub,
    who: DoesTasks,
    request: Request,
    flow: Annotated[str, Query(max_length=40, description="流程 kind of task")],
) -> Response:
    """What is to be answered as the template of the answers, filled in as far as it is known.

    Each row that is completed and handed over through the caller's connection for these answers is a step.
    """
    found = desk(hub).worklist(_who(who), flow)
    if found.plain:
        keeper_of(request).looks.now(who, request.url.path, right=Right.UNMASK)
    standard = hub.generations.current().standard
    content = workbook.export(standard.dataset(found.dataset), standard, found.rows)
    headers = {"content-disposition": f'attachment; filename="{flow}.xlsx"'}
    return Response(content, media_type=XLSX, headers=headers)


@router.get("/{task}", summary="任务详情 a task, its steps and its record")
def one(hub: TheHub, request: Request, who: DoesTasksOfRegion, task: UUID) -> dict[str, Any]:
    """With every step that was taken, and the steps that may be taken now; personal values as may be seen."""
    found = desk(hub).one(_who(who), task)
    confine(hub, who, found["assignee"], found["sender"])
    if found["plain"]:
        keeper_of(request).looks.now(who, request.url.path, right=Right.UNMASK)
    return found


@router.post("/{task}/steps", summary="办理 take a step")
def step(hub: TheHub, who: DoesTasksOfRegion, task: UUID, body: Step) -> dict[str, Any]:
    """Refused with the reason and the allowed steps, or with the findings of the answer; then nothing has changed."""
    if who.region:
        before = desk(hub).one(_who(who), task)
        confine(hub, who, before["assignee"], before["sender"])
    return desk(hub).step(_who(who), task, body.step, body.said)

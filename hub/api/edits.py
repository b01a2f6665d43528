"""`/v1/repairs/records/…`: one record mended by hand and handed in once more."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, Field

from hub.api.access import TheHub, demand, needs
from hub.ledger.credentials import Holder
from standards.rights import Right

router = APIRouter(prefix="/v1/repairs/records/{receipt_no}/{row}", tags=["修复 repairs"])

Mender = Annotated[Holder, Depends(needs(Right.REPAIR))]
Receipt = Annotated[str, Path(max_length=24, description="回执编号 receipt number")]
Row = Annotated[int, Path(ge=1, description="第几条 which record of it")]


class Values(BaseModel):
    """New values, by the sender's column or by an element that one column feeds."""

    changes: dict[str, Annotated[str, Field(max_length=1000)]] = Field(
        min_length=1, max_length=200, description="列 → 新值 column to value"
    )


class Edit(Values):
    """New values, why, and who of the owner allowed it."""

    reason: str = Field(min_length=1, max_length=500, description="原因 why")
    consent: str = Field(
        min_length=1, max_length=200, description="数据归属单位的同意人（第十九条）who of the owner allowed it"
    )


@router.get("", summary="一条原始记录及其问题 one record as it was handed over")
def one(
    hub: TheHub,
    who: Mender,
    receipt_no: Receipt,
    row: Row,
    unmask: Annotated[bool, Query(description="显示个人信息原文，须有相应权限 personal values in full")] = False,
) -> dict[str, Any]:
    """Column by column, with what is wrong; personal values are masked, and the look is written down."""
    demand(who, Right.BODIES)
    return hub.edits().record(receipt_no, row, str(who.id), unmask=unmask and who.may(Right.UNMASK))


@router.post("/rehearsal", summary="预演修改 would it pass")
def rehearse(hub: TheHub, who: Mender, receipt_no: Receipt, row: Row, body: Values) -> dict[str, Any]:
    """Nothing is written."""
    demand(who, Right.BODIES)
    return hub.edits().rehearse(receipt_no, row, body.changes)


@router.post("", summary="修改并重新报送 mend and hand in once more", status_code=202)
def edit(hub: TheHub, who: Mender, receipt_no: Receipt, row: Row, body: Edit) -> dict[str, Any]:
    """A repair of this record, linked to the original; progress, approval and undo are those of repairs."""
    return hub.edits().edit(receipt_no, row, body.changes, str(who.id), reason=body.reason, consent=body.consent)

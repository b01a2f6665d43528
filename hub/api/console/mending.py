"""A repair or replay under way: progress, a second person's word, undo; and one record mended by hand."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Path, Response

from hub.api.access import demand
from hub.api.console.visit import Page, Visit, Words, acts, sees
from standards.rights import Right

router = APIRouter(route_class=Page)

Receipt = Annotated[str, Path(max_length=24)]
Row = Annotated[int, Path(ge=1)]

_TURNS = {"running": ("pause", "cancel"), "paused": ("resume", "cancel"), "waiting": ("cancel",)}
#: Before the name of a column in the form of one record.
_COLUMN = "value."


@router.get("/mending/{identifier}")
def mending(visit: Annotated[Visit, Depends(sees(Right.REPLAY))], identifier: UUID) -> Response:
    """How far it has come, and what may be done with it."""
    one = visit.hub.replays().one(identifier)
    over = one["state"] in ("done", "cancelled") and not one["progress"]["unfinished"]
    return visit.page(
        "mending",
        "replays",
        one=one,
        turns=_TURNS.get(one["state"], ()),
        own=one["made_by"] == visit.holder.id,
        undoable=over and not one["undoes"] and one["stage"] != "delivery" and bool(one["progress"]["accepted"]),
        share=100 * one["progress"]["read"] // max(1, one["records"]),
        over=over,
    )


@router.post("/mending/{identifier}")
def turn(
    visit: Annotated[Visit, Depends(acts(Right.REPLAY))],
    identifier: UUID,
    turn: Annotated[Literal["pause", "resume", "cancel"], Form()],
) -> Response:
    """Pause, go on, cancel."""
    visit.hub.replays().turn(identifier, turn, visit.holder.id)
    return visit.back(f"mending/{identifier}", visit.text("done"))


@router.post("/mending/{identifier}/approve")
def approve(visit: Annotated[Visit, Depends(acts(Right.REPAIR))], identifier: UUID) -> Response:
    """A second person lets a repair run."""
    visit.hub.replays().approve(identifier, visit.holder.id)
    return visit.back(f"mending/{identifier}", visit.text("done"))


@router.post("/mending/{identifier}/undo")
def undo(
    visit: Annotated[Visit, Depends(acts(Right.REPAIR))],
    identifier: UUID,
    reason: Annotated[str, Form(min_length=1, max_length=500)],
) -> Response:
    """Take back what it let through; the page of the undoing follows."""
    made = visit.hub.replays().undo(identifier, visit.holder.id, reason)
    return visit.back(f"mending/{made['id']}", visit.text("done"))


@router.get("/edit/{receipt_no}/{row}")
def edit(visit: Annotated[Visit, Depends(sees(Right.REPAIR))], receipt_no: Receipt, row: Row) -> Response:
    """One record as it was handed over, to be mended; the look is written down."""
    demand(visit.holder, Right.BODIES)
    one = visit.hub.edits().record(receipt_no, row, visit.holder.id)
    return visit.page("edit", "failures", one=one, changes={}, rehearsal=None)


@router.post("/edit/{receipt_no}/{row}/rehearsal")
def rehearse(
    visit: Annotated[Visit, Depends(acts(Right.REPAIR))], receipt_no: Receipt, row: Row, words: Words
) -> Response:
    """Whether it would pass as it was filled in; nothing is written."""
    demand(visit.holder, Right.BODIES)
    desk = visit.hub.edits()
    one = desk.record(receipt_no, row, visit.holder.id)
    changes = changes_of(one, words)
    rehearsal = desk.rehearse(receipt_no, row, changes)
    return visit.page("edit", "failures", one=one, changes=changes, rehearsal=rehearsal)


@router.post("/edit/{receipt_no}/{row}")
def resend(
    visit: Annotated[Visit, Depends(acts(Right.REPAIR))],
    receipt_no: Receipt,
    row: Row,
    words: Words,
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    consent: Annotated[str, Form(min_length=1, max_length=200)],
) -> Response:
    """Hand it in once more as it was filled in."""
    demand(visit.holder, Right.BODIES)
    desk = visit.hub.edits()
    changes = changes_of(desk.record(receipt_no, row, visit.holder.id), words)
    made = desk.edit(receipt_no, row, changes, visit.holder.id, reason=reason, consent=consent)
    return visit.back(f"mending/{made['id']}", visit.text("done"))


def changes_of(one: dict[str, Any], words: dict[str, str]) -> dict[str, str]:
    """The columns whose value differs from what was shown; a masked value that was left alone is none."""
    shown = {said["field"]: said["value"] for said in one["fields"]}
    given = {name.removeprefix(_COLUMN): value for name, value in words.items() if name.startswith(_COLUMN)}
    return {name: value for name, value in given.items() if name in shown and _plain(value) != _plain(shown[name])}


def _plain(value: str) -> str:
    """Browsers send line breaks in their own way."""
    return value.replace("\r\n", "\n")

"""Cases by cause, and what mends a whole group of them: taken up, nothing to report, rehearsed and replayed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from hub.api.console.visit import Page, Viewer, Visit, acts, sees
from hub.ledger.cases import Selection
from hub.replay import chosen_of
from standards.rights import Right

router = APIRouter(route_class=Page)
#: Pages of the operator only.
console = APIRouter(route_class=Page)

_TURNS = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}


@router.get("/cases")
def cases(
    visit: Viewer,
    party: str = "",
    dataset: str = "",
    code: str = "",
    rehearse: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Open cases by cause and due day; a group of rejected records can be rehearsed and replayed."""
    rehearsal = None
    if rehearse and visit.holder.may(Right.REPLAY):
        replays = visit.hub.replays()
        said = replays.rehearse(replays.plan(Selection(party, "", dataset, code)))
        rehearsal = {**said, "party": party, "dataset": dataset, "code": code}
    groups = visit.hub.cases().groups(Selection(visit.party))
    return visit.page("cases", "cases", groups=groups, rehearsal=rehearsal)


@router.post("/cases")
def act(
    visit: Annotated[Visit, Depends(acts(Right.CASES))],
    step: Annotated[Literal["take", "nothing"], Form()],
    class_: Annotated[str, Form(alias="class")] = "",
    party: Annotated[str, Form()] = "",
    dataset: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    named: Annotated[str, Form()] = "",
) -> Response:
    """One action for a whole group."""
    which = Selection(visit.party or party, class_, dataset, code)
    found = visit.hub.cases()
    if step == "take":
        found.take(which, visit.holder.id, "")
    else:
        found.nothing(which, visit.holder.id, named)
    return visit.back("cases", visit.text("done"))


@console.get("/replays")
def replays(visit: Annotated[Visit, Depends(sees(Right.REPLAY))]) -> Response:
    """How far replays have come."""
    found = visit.hub.replays()
    rows = [{**found.one(UUID(one["id"])), "turns": _TURNS.get(one["state"], ())} for one in found.listed(20)]
    return visit.page("replays", "replays", rows=rows)


@console.post("/replays")
def replay(
    visit: Annotated[Visit, Depends(acts(Right.REPLAY))],
    reason: Annotated[str, Form(max_length=500)],
    party: Annotated[str, Form()] = "",
    dataset: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Replay a group that was rehearsed."""
    found, which = visit.hub.replays(), Selection(party, "", dataset, code)
    found.start(found.plan(which), visit.holder.id, reason, chosen_of(which, "", ()))
    return visit.back("replays", visit.text("done"))


@console.post("/replays/{identifier}")
def turn(
    visit: Annotated[Visit, Depends(acts(Right.REPLAY))],
    identifier: UUID,
    turn: Annotated[Literal["pause", "resume", "cancel"], Form()],
) -> Response:
    """Pause, go on, cancel."""
    visit.hub.replays().turn(identifier, turn, visit.holder.id)
    return visit.back("replays", visit.text("done"))

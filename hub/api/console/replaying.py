"""Replays from any stage: how far they have come, and one of a hand-over or of a time, rehearsed and begun."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from hub.api.console.visit import Page, Visit, acts, sees
from hub.ledger.cases import Selection
from hub.ledger.replays import Part, Stage
from hub.replay import ReplayDesk, chosen_of
from standards.clock import SHANGHAI
from standards.errors import BadRecord
from standards.rights import Right

router = APIRouter(route_class=Page)

_TURNS = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}
_DAY = r"^(\d{4}-\d{2}-\d{2})?$"


class Choice:
    """From which stage what is taken through again; nothing of it is about a person."""

    def __init__(
        self,
        stage: Stage = Stage.RAW,
        receipt_no: str = "",
        party: str = "",
        dataset: str = "",
        to: str = "",
        since: str = "",
        until: str = "",
    ) -> None:
        self.stage, self.receipt_no, self.party, self.dataset = stage, receipt_no.strip(), party, dataset
        self.to, self.since, self.until = to, since, until

    @property
    def given(self) -> bool:
        """Whether anything is chosen."""
        return bool(self.receipt_no or self.party or self.dataset or self.since or self.until)

    def words(self) -> dict[str, str]:
        """As a form holds it."""
        return {
            "stage": str(self.stage), "receipt_no": self.receipt_no, "party": self.party, "dataset": self.dataset,
            "to": self.to, "since": self.since, "until": self.until,
        }  # fmt: skip

    def which(self) -> Selection:
        """As the ledger takes it; both days belong to it."""
        after = _start(self.until) + timedelta(days=1) if self.until else None
        return Selection(self.party, "", self.dataset, since=_start(self.since) if self.since else None, before=after)

    def parts(self, desk: ReplayDesk) -> list[Part]:
        """What is chosen.  Raises UnknownName, BadRecord."""
        return desk.plan(self.which(), self.receipt_no, stage=self.stage, destinations=[self.to] if self.to else [])

    def told(self) -> dict[str, Any]:
        """As it is written down."""
        stage = "" if self.stage is Stage.RAW else str(self.stage)
        return chosen_of(self.which(), self.receipt_no, (), stage=stage, destinations=[self.to] if self.to else [])


def _start(day: str) -> datetime:
    try:
        return datetime.combine(date.fromisoformat(day), time(), SHANGHAI)
    except ValueError as error:
        raise BadRecord(f"no such day: {day}", what_zh=f"没有这一天：{day}") from error


def in_address(
    stage: Stage = Stage.RAW,
    receipt_no: Annotated[str, Query(max_length=24)] = "",
    party: Annotated[str, Query(max_length=64)] = "",
    dataset: Annotated[str, Query(max_length=64)] = "",
    to: Annotated[str, Query(max_length=63)] = "",
    since: Annotated[str, Query(pattern=_DAY)] = "",
    until: Annotated[str, Query(pattern=_DAY)] = "",
) -> Choice:
    """The choice that an address names."""
    return Choice(stage, receipt_no, party, dataset, to, since, until)


def in_form(
    stage: Annotated[Stage, Form()],
    receipt_no: Annotated[str, Form(max_length=24)] = "",
    party: Annotated[str, Form(max_length=64)] = "",
    dataset: Annotated[str, Form(max_length=64)] = "",
    to: Annotated[str, Form(max_length=63)] = "",
    since: Annotated[str, Form(pattern=_DAY)] = "",
    until: Annotated[str, Form(pattern=_DAY)] = "",
) -> Choice:
    """The choice that was rehearsed."""
    return Choice(stage, receipt_no, party, dataset, to, since, until)


@router.get("/replays")
def replays(
    visit: Annotated[Visit, Depends(sees(Right.REPLAY))],
    choice: Annotated[Choice, Depends(in_address)],
    rehearse: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """How far replays have come; and what a choice would come to, of which nothing is written."""
    desk, generation = visit.hub.replays(), visit.hub.generations.current()
    rows = [{**desk.one(UUID(one["id"])), "turns": _TURNS.get(one["state"], ())} for one in desk.listed(20)]
    rehearsal = None
    if rehearse and choice.given:
        rehearsal = desk.rehearse(choice.parts(desk), stage=choice.stage)
    return visit.page(
        "replays",
        "replays",
        rows=rows,
        choice=choice.words(),
        query=urlencode({**choice.words(), "rehearse": "1"}),
        stages=[str(one) for one in Stage],
        parties={name: one.title for name, one in generation.settings.parties.items()},
        datasets={one.id: one.title for one in generation.standard},
        ways=list(generation.settings.destinations),
        rehearsal=rehearsal,
    )


@router.post("/replays/begin")
def begin(
    visit: Annotated[Visit, Depends(acts(Right.REPLAY))],
    choice: Annotated[Choice, Depends(in_form)],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    sure: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Begin what was rehearsed; the page of its progress follows."""
    desk = visit.hub.replays()
    made = desk.start(choice.parts(desk), visit.holder.id, reason, choice.told(), stage=choice.stage, sure=sure)
    return visit.back(f"mending/{made['id']}", visit.text("done"))

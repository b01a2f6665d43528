"""Cases by working days left, and what mends a whole group: taken up, waived, nothing to report, replayed."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Response

from hub.api.access import confine
from hub.api.console.visit import Page, ViewerOfRegion, Visit, acts
from hub.board import board, samples
from hub.ledger.cases import Selection
from hub.replay import chosen_of
from standards.errors import BadRecord, NotAllowed
from standards.rights import Right

router = APIRouter(route_class=Page)
#: Pages of the operator only.
console = APIRouter(route_class=Page)

#: Cases whose causes are grouped on the page of failures; and how many of them lead there.
_BY_CAUSE, _CAUSES = ("2", "3"), 12


class Chosen:
    """A group of cases that an address names; nothing of it is about a person."""

    def __init__(
        self,
        party: Annotated[str, Query(max_length=64)] = "",
        class_: Annotated[str, Query(alias="class", max_length=1)] = "",
        dataset: Annotated[str, Query(max_length=64)] = "",
        code: Annotated[str, Query(max_length=40)] = "",
        destination: Annotated[str, Query(max_length=64)] = "",
    ) -> None:
        self.party, self.class_, self.dataset, self.code, self.destination = party, class_, dataset, code, destination

    def selection(self, own: str) -> Selection:
        """The open cases; `own`: of this party only."""
        return Selection(own or self.party, self.class_, self.dataset, self.code, self.destination or None)

    @property
    def query(self) -> str:
        """The same as an address."""
        named = {
            "party": self.party,
            "class": self.class_,
            "dataset": self.dataset,
            "code": self.code,
            "destination": self.destination,
        }
        return urlencode({name: value for name, value in named.items() if value})


class Named(Chosen):
    """The same out of a form."""

    def __init__(
        self,
        party: Annotated[str, Form(max_length=64)] = "",
        class_: Annotated[str, Form(alias="class", max_length=1)] = "",
        dataset: Annotated[str, Form(max_length=64)] = "",
        code: Annotated[str, Form(max_length=40)] = "",
        destination: Annotated[str, Form(max_length=64)] = "",
    ) -> None:
        super().__init__(party, class_, dataset, code, destination)


@router.get("/cases")
def cases(visit: ViewerOfRegion, chosen: Annotated[Chosen, Depends()]) -> Response:
    """Open cases as a board by working days left."""
    found = visit.hub.cases().groups(chosen.selection(visit.party))
    groups = [one for one in found if visit.scope(one["party"])]
    titles = {name: one.title for name, one in visit.hub.generations.current().settings.parties.items()}
    return visit.page("cases", "cases", board=board(groups), titles=titles, datasets=_datasets(visit))


@router.get("/cases/group")
def group(
    visit: ViewerOfRegion, chosen: Annotated[Chosen, Depends()], rehearse: Annotated[str, Query(max_length=1)] = ""
) -> Response:
    """One group: its cases and their records, and what mends it; rejected records can be rehearsed and replayed."""
    rehearsal = None
    which = chosen.selection(visit.party)
    confine(visit.hub, visit.holder, which.party)
    if rehearse and visit.holder.may(Right.REPLAY):
        replays = visit.hub.replays()
        rehearsal = replays.rehearse(replays.plan(Selection(chosen.party, "", chosen.dataset, chosen.code)))
    groups = visit.hub.cases().groups(which)
    with visit.hub.ledger.read() as connection:
        found = samples(connection, which)
    causes = []
    if chosen.class_ in _BY_CAUSE and (visit.party or visit.whole):
        causes = visit.hub.failures().listed(which, _CAUSES)
    titles = {name: one.title for name, one in visit.hub.generations.current().settings.parties.items()}
    return visit.page(
        "case_group",
        "cases",
        groups=groups,
        samples=found,
        causes=causes,
        rehearsal=rehearsal,
        chosen=chosen,
        title=titles.get(which.party, which.party),
        datasets=_datasets(visit),
    )


def _datasets(visit: Visit) -> dict[str, str]:
    english = visit.language == "en"
    return {one.id: (english and one.title_en) or one.title for one in visit.hub.generations.current().standard}


@router.post("/cases")
def act(
    visit: Annotated[Visit, Depends(acts(Right.CASES, regional=True))],
    step: Annotated[Literal["take", "nothing", "waive"], Form()],
    named_cases: Annotated[Named, Depends()],
    named: Annotated[str, Form(max_length=80)] = "",
    reason: Annotated[str, Form(max_length=500)] = "",
) -> Response:
    """One action for a whole group."""
    which = named_cases.selection(visit.party)
    confine(visit.hub, visit.holder, which.party)
    found = visit.hub.cases()
    if step == "take":
        found.take(which, visit.holder.id, "")
    elif step == "waive":
        _demand_operator(visit)
        if not (which.class_ and which.code):
            raise BadRecord("say which cases are waived", what_zh="请指明豁免哪一组异常")
        found.waive(which, visit.holder.id, named, reason)
    else:
        found.nothing(which, visit.holder.id, named)
    return visit.back("cases", visit.text("done"))


def _demand_operator(visit: Visit) -> None:
    """Who waives is not who must report.  Raises NotAllowed."""
    if visit.party:
        raise NotAllowed("only the hub's own people waive", what_zh="豁免由枢纽运维办理，接入方不能自行豁免")


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

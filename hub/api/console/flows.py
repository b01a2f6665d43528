"""Flows: every line of the exchange, and a page for each destination, party and connection."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Response

from hub.api.access import confine, may_use
from hub.api.console.visit import Page, Viewer, ViewerOfRegion, Visit, acts
from hub.dispatch.decide import Decisions, Verb
from hub.flows.desk import Flows
from hub.ledger.submissions import Submission
from standards.clock import local_text
from standards.rights import Right
from standards.states import word

console = APIRouter(route_class=Page, prefix="/flows")


def flows_of(visit: Visit) -> Flows:
    """The desk of flows."""
    hub = visit.hub
    return Flows(hub.ledger, hub.generations, hub.clock, hub.cases(), hub.transports, hub.broker.wake)


Operating = Annotated[Visit, Depends(acts(Right.OPERATE))]


@console.get("")
def flows(visit: ViewerOfRegion) -> Response:
    """Every line with its rate and how it stands; of a region what its parties hand over."""
    seen = flows_of(visit).everything(visit.language, None if visit.whole else visit.scope)
    return visit.page("flows", "flows", lines=seen["lines"], at=local_text(visit.hub.clock.now()))


@console.get("/to/{name}")
def destination(visit: Viewer, name: str) -> Response:
    """A destination."""
    return _destination(visit, name, None)


@console.post("/to/{name}/pause")
def pause(visit: Operating, name: str, reason: Annotated[str, Form(min_length=1, max_length=500)]) -> Response:
    """Its parcels wait."""
    flows_of(visit).pause(name, visit.holder.id, reason)
    return visit.back(f"flows/to/{name}", visit.text("done"))


@console.post("/to/{name}/resume")
def resume(visit: Operating, name: str) -> Response:
    """It goes on."""
    hastened = flows_of(visit).resume(name, visit.holder.id)
    return visit.back(f"flows/to/{name}", f"{visit.text('done')} ({hastened})")


@console.post("/to/{name}/retry")
def retry(visit: Operating, name: str) -> Response:
    """What waits for its next attempt is tried now."""
    hastened = flows_of(visit).hasten(name, visit.holder.id)
    return visit.back(f"flows/to/{name}", f"{visit.text('retried')} {hastened}")


@console.post("/to/{name}/test")
def try_destination(visit: Operating, name: str) -> Response:
    """Really asked; what it said stands on the page."""
    return _destination(visit, name, flows_of(visit).tried("destination", name, visit.holder.id))


@console.post("/to/{name}/decide")
def decide(
    visit: Operating,
    name: str,
    verb: Annotated[Verb, Form()],
    reason: Annotated[str, Form(min_length=1, max_length=500)],
) -> Response:
    """Parcels that stopped are sent again, or the receiver has them."""
    hub = visit.hub
    flows_of(visit).destination(name, visit.language)
    count = Decisions(hub.ledger, hub.clock, hub.settling).decide(name, verb, by=visit.holder.id, reason=reason)
    hub.broker.wake()
    return visit.back(f"flows/to/{name}", f"{visit.text('done')} ({count})")


@console.get("/party/{name}")
def party(visit: ViewerOfRegion, name: str) -> Response:
    """A party."""
    confine(visit.hub, visit.holder, name)
    return visit.page("flow_party", "flows", one=flows_of(visit).party(name))


@console.get("/from/{name}")
def connection(visit: ViewerOfRegion, name: str) -> Response:
    """A connection."""
    may_use(visit.hub, visit.holder, name)
    return _connection(visit, name, None)


@console.post("/from/{name}/test")
def try_connection(visit: Operating, name: str) -> Response:
    """Really asked; what it said stands on the page."""
    return _connection(visit, name, flows_of(visit).tried("connection", name, visit.holder.id))


@console.post("/from/{name}/pause")
def pause_connection(
    visit: Operating, name: str, reason: Annotated[str, Form(min_length=1, max_length=500)]
) -> Response:
    """Nothing is taken in through it."""
    flows_of(visit).pause_connection(name, visit.holder.id, reason)
    return visit.back(f"flows/from/{name}", visit.text("done"))


@console.post("/from/{name}/resume")
def resume_connection(visit: Operating, name: str) -> Response:
    """It takes in again."""
    flows_of(visit).resume_connection(name, visit.holder.id)
    return visit.back(f"flows/from/{name}", visit.text("done"))


def _destination(visit: Visit, name: str, tried: tuple[bool, str, str] | None) -> Response:
    one = flows_of(visit).destination(name, visit.language)
    one["stopped"] = [{**p, "word": word(p["state"], visit.language)} for p in one["stopped"]]
    return visit.page("flow_to", "flows", one=one, tried=_told(visit, tried))


def _connection(visit: Visit, name: str, tried: tuple[bool, str, str] | None) -> Response:
    one = flows_of(visit).connection(name, visit.language)
    rows = [hand_over(visit, row) for row in one["rows"]]
    return visit.page("flow_from", "flows", one=one, rows=rows, tried=_told(visit, tried))


def _told(visit: Visit, tried: tuple[bool, str, str] | None) -> dict[str, Any] | None:
    return None if tried is None else {"good": tried[0], "said": tried[2 if visit.language == "en" else 1]}


def hand_over(visit: Visit, one: Submission) -> dict[str, Any]:
    """A hand-over as lists show it."""
    return {
        "receipt_no": one.receipt_no,
        "at": local_text(one.received_at),
        "party": one.party,
        "connection": one.connection,
        "name": one.name,
        "test": one.test,
        "state": word(one.state, visit.language),
        "bad": bool(one.problem),
        "counts": {name: getattr(one, name) for name in ("read", "accepted", "rejected", "held", "duplicate")},
    }

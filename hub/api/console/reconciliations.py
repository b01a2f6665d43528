"""Reconciliations: what was compared with whom, what differs, bucket by bucket; run now by an operator."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response

from hub.api.console.visit import Page, Viewer, Visit, acts
from standards.rights import Right

router = APIRouter(route_class=Page)
#: Pages of the operator only.
console = APIRouter(route_class=Page)


@router.get("/reconciliations")
def listed(visit: Viewer) -> Response:
    """The newest first; a party sees what concerns its own data."""
    generation = visit.hub.generations.current()
    return visit.page(
        "reconciliations",
        "reconciliations",
        rows=visit.hub.reconciliations().listed(visit.party),
        hubs=[name for name, one in generation.settings.destinations.items() if one.adapter == "hub"],
        titles={one.id: one.title for one in generation.standard},
    )


@console.post("/reconciliations")
def run(
    visit: Annotated[Visit, Depends(acts(Right.OPERATE))], destination: Annotated[str, Form(max_length=63)]
) -> Response:
    """Compare now."""
    found = visit.hub.reconciliations().with_hub(destination, (), visit.holder.id)
    agree = sum(one["agrees"] and not one["missing"] + one["extra"] + one["differs"] for one in found)
    return visit.back("reconciliations", f"{visit.text('compared_now')} {agree}/{len(found)}")


@router.get("/reconciliations/{identifier}")
def one(visit: Viewer, identifier: UUID) -> Response:
    """A comparison with the records that differ."""
    return _shown(visit, identifier)


@console.post("/reconciliations/{identifier}/rehearsal")
def rehearse(visit: Annotated[Visit, Depends(acts(Right.REPLAY))], identifier: UUID) -> Response:
    """What would be sent once more, as the other side says now; nothing is written."""
    return _shown(visit, identifier, visit.hub.resending().rehearse(identifier))


@console.post("/reconciliations/{identifier}/resend")
def resend(
    visit: Annotated[Visit, Depends(acts(Right.REPLAY))],
    identifier: UUID,
    reason: Annotated[str, Form(min_length=1, max_length=500)],
    sure: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Send it; the page of its progress follows."""
    made = visit.hub.resending().start(identifier, visit.holder.id, reason, sure)
    return visit.back(f"mending/{made['replay']}", visit.text("done"))


def _shown(visit: Visit, identifier: UUID, plan: dict[str, Any] | None = None) -> Response:
    found = visit.hub.reconciliations().one(identifier, visit.party)
    mended = found["way"] != "statement" and not visit.party and bool(found["missing"] + found["differs"])
    return visit.page(
        "reconciliation",
        "reconciliations",
        one=found,
        titles={one.id: one.title for one in visit.hub.generations.current().standard},
        sendable=mended,
        sendings=visit.hub.resending().sendings(identifier) if mended else [],
        plan=plan,
    )

"""`/metrics`: for Prometheus."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from hub.api.access import TheHub, caller, demand
from standards.rights import Right

router = APIRouter(tags=["运维 operations"])

#: Told beside the text, so that a scraper knows its form.
_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def scraper(request: Request) -> None:
    """This machine itself, or who has an operator's key.  Raises WrongKey, NotAllowed."""
    host = request.client.host if request.client is not None else ""
    try:
        local = ip_address(host).is_loopback and "x-forwarded-for" not in request.headers
    except ValueError:
        local = False
    if not local:
        demand(caller(request), Right.SEE, of_hub=True, regional=False)


scraper.right, scraper.of_hub, scraper.regional = Right.SEE, True, False  # type: ignore[attr-defined]


@router.get("/metrics", summary="度量 metrics", response_class=Response)
def metrics(hub: TheHub, _who: Annotated[None, Depends(scraper)]) -> Response:
    """Counts and ages, no content: without a key from this machine, with an operator's key from elsewhere."""
    return Response(hub.metrics(), media_type=_TYPE)

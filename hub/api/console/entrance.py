"""The way in and out, the language, and the files beside the pages."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.api.access import Doorkeeper, TheHub
from hub.api.console.visit import COOKIE, LANGUAGE, Page, Visit, acts, login_page, room_of
from hub.api.problems import WrongKey
from hub.ledger import credentials, journal
from standards.rights import Right

router = APIRouter(route_class=Page)

_HOURS = 12


@router.get("/style.css")
def style(hub: TheHub) -> Response:
    """The style sheet."""
    return Response(hub.page_file("style.css"), media_type="text/css")


@router.get("/icon.svg")
def icon(hub: TheHub) -> Response:
    """What a browser shows beside the title."""
    return Response(hub.page_file("icon.svg"), media_type="image/svg+xml")


@router.get("/language")
def language(request: Request, to: Literal["zh", "en"]) -> Response:
    """Switch the language."""
    answer = RedirectResponse(f"/{room_of(request)}/", status_code=303)
    answer.set_cookie(LANGUAGE, to, max_age=365 * 86400, samesite="lax", httponly=True)
    return answer


@router.post("/login")
def login(request: Request, hub: TheHub, key: Annotated[str, Form(max_length=200)]) -> Response:
    """A session is a key of its own that ends by itself; the key that was typed is not kept in the browser."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    room = room_of(request)
    try:
        holder = keeper.holder(f"Bearer {key.strip()}")
    except WrongKey:
        return login_page(request, hub, "wrong_key", 401)
    if holder.is_operator != (room == "console"):
        return login_page(request, hub, "wrong_key", 403)
    now = hub.clock.now()

    def work(connection: Any) -> str:
        made = credentials.make(
            connection,
            holder.party,
            now,
            by=holder.id,
            note="console",
            rights=tuple(holder.rights),
            expires_at=now + timedelta(hours=_HOURS),
        )
        journal.append(connection, [journal.Entry("logged_in", holder.id, None, None, {"room": room})], now)
        return made[1]

    answer = RedirectResponse(f"/{room}/", status_code=303)
    answer.set_cookie(
        COOKIE,
        hub.ledger.write(work),
        max_age=_HOURS * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def logout(visit: Annotated[Visit, Depends(acts(Right.SEE))]) -> Response:
    """The session's key counts no more."""
    now = visit.hub.clock.now()
    visit.hub.ledger.write(lambda c: credentials.revoke(c, visit.holder.id, now))
    answer = visit.back("")
    answer.delete_cookie(COOKIE)
    return answer

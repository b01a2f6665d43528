"""The way in and out, the language, and the files beside the pages."""

from __future__ import annotations

from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import RedirectResponse

from hub.api.access import TheHub, keeper_of
from hub.api.console.visit import (
    COOKIE,
    LANGUAGE,
    STEPS,
    Page,
    Visit,
    language_of,
    login_page,
    own,
    room_of,
    wanted,
)
from hub.api.people import where_of
from hub.api.problems import WrongKey
from hub.bootstrap import Hub
from hub.ledger.sessions import Stage
from hub.people.login import Entered, WrongLogin
from standards.errors import NotAllowed, SystemBusy

router = APIRouter(route_class=Page)


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


@router.get("/login")
def ask(request: Request, hub: TheHub) -> Response:
    """The way in."""
    return login_page(request, hub)


@router.post("/login")
def login(
    request: Request,
    hub: TheHub,
    key: Annotated[str, Form(max_length=200)] = "",
    name: Annotated[str, Form(max_length=200)] = "",
    password: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """By name and password, or by a unit's key; neither is kept in the browser."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return login_page(request, hub, said=hub.text("form_of_others", language_of(request)), status=403)
    door, where = hub.login(), where_of(request)
    try:
        if not key:
            return let_in(request, hub, door.by_password(name, password, where))
        holder = keeper_of(request).holder(f"Bearer {key.strip()}")
        if holder.user:
            return login_page(request, hub, "wrong_key", 401)
        if holder.is_operator != (room_of(request) == "console"):
            return login_page(request, hub, "wrong_key", 403)
        return let_in(request, hub, door.by_key(holder, where))
    except WrongKey:
        return login_page(request, hub, "wrong_key", 401)
    except (WrongLogin, NotAllowed, SystemBusy) as error:
        said = error.what if language_of(request) == "en" else error.what_zh
        return login_page(request, hub, said=said, status=error.status)


def let_in(request: Request, hub: Hub, entered: Entered) -> Response:
    """To the room of who came in, or to what is still missing, with a session in a cookie."""
    room = "sender" if entered.party else "console"
    to = wanted(request) if room == room_of(request) else ""
    target = to if entered.stage is Stage.OPEN and to else f"/{room}/{STEPS[entered.stage]}"
    if entered.stage is not Stage.OPEN and to:
        target += f"?to={quote(to)}"
    answer = RedirectResponse(target, status_code=303)
    put_session(request, hub, answer, entered)
    return answer


def put_session(request: Request, hub: Hub, answer: Response, entered: Entered) -> None:
    """The token goes into a cookie that no script reads and no other site sends."""
    seconds = int((entered.ends_at - hub.clock.now()).total_seconds())
    secure = request.url.scheme == "https" or hub.settings.hub.public_url.startswith("https:")
    answer.set_cookie(COOKIE, entered.token, max_age=seconds, httponly=True, samesite="strict", secure=secure)


@router.post("/logout")
def logout(visit: Annotated[Visit, Depends(own(form=True))]) -> Response:
    """The session ends at once."""
    visit.hub.login().leave(visit.session)
    answer = visit.back("")
    answer.delete_cookie(COOKIE)
    return answer

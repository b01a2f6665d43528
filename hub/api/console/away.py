"""To the site's identity provider and back.

The way back begins on another site, and a browser then sends no cookie that is for this site only: so it ends on a page
of ours, whose own link goes on.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse

from hub.api.access import TheHub
from hub.api.console.entrance import put_session
from hub.api.console.visit import STEPS, Page, language_of, login_page, plain_page, room_of, wanted
from hub.api.people import where_of
from hub.bootstrap import Hub
from hub.ledger.sessions import Stage
from hub.people.login import WrongLogin
from hub.people.oidc import Errand, Provider
from standards.errors import BadConfiguration, HubError, SystemUnreachable, UnknownName

router = APIRouter(route_class=Page)

_COOKIE, _MINUTES = "hub_away", 10
Word = Annotated[str, Query(max_length=4000)]


@router.get("/oidc/start")
def start(request: Request, hub: TheHub) -> Response:
    """To the provider; what must come back is kept here and bound to this browser."""
    try:
        provider = _provider(hub)
        base = hub.settings.hub.public_url or str(request.base_url)
        errand = provider.errand(f"{base.rstrip('/')}/{room_of(request)}/oidc", wanted(request))
        address = provider.address(errand)
    except (BadConfiguration, SystemUnreachable, UnknownName) as error:
        return _failed(request, hub, error)
    token = hub.login().away(errand.text(), where_of(request))
    answer = RedirectResponse(address, status_code=303)
    secure = errand.back.startswith("https:")
    # Lax: it must come along when the provider sends the browser back.
    answer.set_cookie(_COOKIE, token, max_age=_MINUTES * 60, httponly=True, samesite="lax", secure=secure)
    return answer


@router.get("/oidc")
def back(request: Request, hub: TheHub, code: Word = "", state: Word = "") -> Response:
    """From the provider."""
    door = hub.login()
    try:
        errand = Errand.read(door.back(request.cookies.get(_COOKIE, "")))
        name = _provider(hub).name(errand, state, code, hub.clock.now())
        entered = door.by_provider(name, where_of(request))
    except (WrongLogin, BadConfiguration, SystemUnreachable, UnknownName) as error:
        return _failed(request, hub, error)
    room = "sender" if entered.party else "console"
    to = f"/{room}/{STEPS[entered.stage]}"
    if entered.stage is Stage.OPEN and errand.to.startswith(f"/{room}"):
        to = errand.to
    answer = plain_page(request, hub, "welcome", to=to)
    put_session(request, hub, answer, entered)
    answer.delete_cookie(_COOKIE)
    return answer


def _provider(hub: Hub) -> Provider:
    settings = hub.generations.current().settings.people.oidc
    if settings is None:
        raise UnknownName(
            "no identity provider is set",
            what_zh="未配置统一认证",
            hint="people.oidc in hub.toml",
            hint_zh="请在 hub.toml 中配置 [people.oidc]",
        )
    return Provider(settings)


def _failed(request: Request, hub: Hub, error: HubError) -> Response:
    said = error.what if language_of(request) == "en" else error.what_zh
    return login_page(request, hub, said=said, status=error.status)

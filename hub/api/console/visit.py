"""One request of somebody who is logged in, and what every page has in common: its frame, its guard, its errors."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Form, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute

from hub.api.access import Doorkeeper, TheHub, demand, hub_of
from hub.api.console.menu import MENUS
from hub.api.problems import WrongKey
from hub.api.tasks import XLSX
from hub.bootstrap import Hub
from hub.ledger.credentials import Holder
from hub.tasks import OPERATOR
from hub.tasks import Caller as Who
from standards.errors import HubError, NotAllowed
from standards.rights import Right

COOKIE, LANGUAGE = "hub_session", "hub_language"
#: A day in a query; empty: none was chosen.
DAY = r"^(\d{4}-\d{2}-\d{2})?$"


class NotLoggedIn(WrongKey):
    """Nobody is logged in, or somebody whose room this is not."""

    code = "not-logged-in"
    title_zh = "未登录"
    title = "not logged in"


class WrongForm(HubError):
    """What was filled in cannot be read."""

    code = "wrong-form"
    status = 422
    title_zh = "填写有误"
    title = "wrong form"


class Visit:
    """One request of somebody who is logged in."""

    def __init__(self, request: Request, hub: Hub, holder: Holder, session: str) -> None:
        self.request, self.hub, self.room, self.holder = request, hub, room_of(request), holder
        self.token = form_token(session)
        self.language = language_of(request)

    @property
    def party(self) -> str:
        """Whose pages these are; empty: the operator's."""
        return self.holder.party

    @property
    def who(self) -> Who:
        """The same for the desk of tasks."""
        return Who(OPERATOR if self.holder.is_operator else self.holder.party, self.holder.id)

    def text(self, key: str) -> str:
        """A word in the viewer's language."""
        return self.hub.text(key, self.language)

    def page(self, name: str, here: str, status: int = 200, **values: Any) -> HTMLResponse:
        """A page; `here`: its place in the menu."""
        settings = self.hub.generations.current().settings
        title = settings.parties[self.party].title if self.party in settings.parties else self.party
        viewer = title if self.party else self.text("operator")
        shown = {
            "hub": settings.hub.title,
            "root": f"/{self.room}",
            "menu": [one.name for one in MENUS[self.room] if self.holder.may(one.right)],
            "here": here,
            "viewer": f"{viewer} {self.holder.name}".strip(),
            "operator": self.holder.is_operator,
            "may": self._may,
            "token": self.token,
            "said": self.request.query_params.get("said", "")[:200],
            "wrong": "",
        }
        return HTMLResponse(self.hub.page(name, self.language, **{**shown, **values}), status)

    def _may(self, right: str) -> bool:
        return self.holder.may(Right(right))

    def back(self, path: str, said: str = "") -> RedirectResponse:
        """To a page of this room after a deed, with a word about it."""
        query = f"{'&' if '?' in path else '?'}said={quote(said)}" if said else ""
        return RedirectResponse(f"/{self.room}/{path}{query}", status_code=303)

    def check(self, token: str) -> None:
        """The form came from our own page.  Raises NotAllowed."""
        if not hmac.compare_digest(token.encode(), self.token.encode()):
            raise NotAllowed("the form is none of ours", what_zh="表单已失效，请刷新页面重试")

    def wrong(self, error: HubError) -> str:
        """What went wrong, in the viewer's language."""
        english = self.language == "en"
        hint = (error.hint if english else error.hint_zh or error.hint) or ""
        return f"{error.what if english else error.what_zh} {hint}".strip()


def room_of(request: Request) -> str:
    """`console` or `sender`."""
    return request.url.path.split("/")[1]


def language_of(request: Request) -> str:
    """What the viewer reads."""
    return "en" if request.cookies.get(LANGUAGE) == "en" else "zh"


def form_token(session: str) -> str:
    """What every form of a session carries."""
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()[:32]


def visit_of(request: Request, hub: Hub) -> Visit:
    """Who is logged in, if it is their room.  Raises NotLoggedIn."""
    session = request.cookies.get(COOKIE, "")
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        holder = keeper.holder(f"Bearer {session}")
    except WrongKey as error:
        raise NotLoggedIn("log in first", what_zh="请先登录") from error
    if holder.is_operator != (room_of(request) == "console"):
        raise NotLoggedIn("log in first", what_zh="请先登录")
    return Visit(request, hub, holder, session)


def sees(right: Right = Right.SEE) -> Callable[..., Visit]:
    """Who looks at a page and has this right; tests read `.right`."""

    def visit(request: Request, hub: TheHub) -> Visit:
        found = visit_of(request, hub)
        demand(found.holder, right)
        return found

    visit.right = right  # type: ignore[attr-defined]
    return visit


def acts(right: Right) -> Callable[..., Visit]:
    """Who sent a form of ours and has this right; tests read `.right`."""

    def visit(request: Request, hub: TheHub, token: Annotated[str, Form(max_length=64)]) -> Visit:
        found = visit_of(request, hub)
        found.check(token)
        demand(found.holder, right)
        return found

    visit.right = right  # type: ignore[attr-defined]
    return visit


#: Who looks at a page.
Viewer = Annotated[Visit, Depends(sees())]


async def _words(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


#: Every word of a form, for forms that are made from a data set.
Words = Annotated[dict[str, str], Depends(_words)]


def sheet(content: bytes, name: str) -> Response:
    """A workbook to download."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=headers)


def login_page(request: Request, hub: Hub, wrong: str = "", status: int = 200) -> Response:
    """The log-in; `wrong`: key of a text."""
    language = language_of(request)
    title = hub.generations.current().settings.hub.title
    text = hub.page(
        "login",
        language,
        hub=title,
        root=f"/{room_of(request)}",
        viewer="",
        said="",
        wrong=hub.text(wrong, language) if wrong else "",
    )
    return HTMLResponse(text, status)


def _guarded(response: Response, hub: Hub) -> Response:
    response.headers["content-security-policy"] = hub.page_policy
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "same-origin"
    response.headers.setdefault("cache-control", "no-store")
    return response


def _stumbled(request: Request, hub: Hub, error: HubError) -> Response:
    if isinstance(error, NotLoggedIn):
        return login_page(request, hub, status=401 if request.method == "POST" else 200)
    try:
        visit = visit_of(request, hub)
    except NotLoggedIn:
        return login_page(request, hub, status=401)
    return visit.page("wrong", "", error.status, wrong=visit.wrong(error))


class Page(APIRoute):
    """A route whose errors are pages and whose answers are guarded."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """What answers a request."""
        ask = super().get_route_handler()

        async def answer(request: Request) -> Response:
            hub = hub_of(request)
            try:
                response = await ask(request)
            except RequestValidationError as error:
                names = "、".join(str(one["loc"][-1]) for one in error.errors())
                told = WrongForm(f"check the form: {names}", what_zh=f"请检查填写内容：{names}")
                response = await run_in_threadpool(_stumbled, request, hub, told)
            except HubError as error:
                response = await run_in_threadpool(_stumbled, request, hub, error)
            return _guarded(response, hub)

        return answer

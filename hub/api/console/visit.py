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

from hub.api.access import TheHub, demand, hub_of, in_scope, keeper_of, noted
from hub.api.console.menu import MENUS
from hub.api.problems import WrongKey
from hub.api.tasks import XLSX
from hub.bootstrap import Hub
from hub.ledger.credentials import Holder
from hub.ledger.sessions import Session, Stage
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


class Unfinished(NotLoggedIn):
    """Somebody is logged in, but for a code, another password, or a second factor."""

    def __init__(self, stage: Stage) -> None:
        super().__init__("the log-in is not finished", what_zh="登录尚未完成")
        self.stage = stage


class WrongForm(HubError):
    """What was filled in cannot be read."""

    code = "wrong-form"
    status = 422
    title_zh = "填写有误"
    title = "wrong form"


class Visit:
    """One request of somebody who is logged in."""

    def __init__(self, request: Request, hub: Hub, holder: Holder, session: Session, secret: str) -> None:
        self.request, self.hub, self.room, self.holder = request, hub, room_of(request), holder
        self.session = session
        self.token = form_token(secret)
        self.language = language_of(request)

    @property
    def party(self) -> str:
        """Whose pages these are; empty: the operator's."""
        return self.holder.party

    @property
    def whole(self) -> bool:
        """Whether the whole hub is seen: by its own people who are confined to no region."""
        return self.holder.is_operator and not self.holder.region

    def scope(self, party: str) -> bool:
        """Whether what belongs to a party may be seen here."""
        return in_scope(self.hub, self.holder, party)

    def unmasked(self) -> None:
        """Personal values are shown in full: who looks is written down first."""
        keeper_of(self.request).looks.now(self.holder, self.request.url.path, right=Right.UNMASK)

    @property
    def who(self) -> Who:
        """The same for the desk of tasks."""
        return Who(
            OPERATOR if self.holder.is_operator else self.holder.party, self.holder.id, self.holder.may(Right.UNMASK)
        )

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
            "menu": [one.name for one in MENUS[self.room] if one.open_to(self.holder)],
            "here": here,
            "viewer": f"{viewer} {self.holder.name}".strip(),
            "operator": self.holder.is_operator,
            "whole": self.whole,
            "person": self.holder.user,
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
    found = begun(request, hub)
    if found.session.stage is not Stage.OPEN:
        raise Unfinished(found.session.stage)
    return found


def begun(request: Request, hub: Hub) -> Visit:
    """Who is logged in or about to be, if it is their room.  Raises NotLoggedIn."""
    secret = request.cookies.get(COOKIE, "")
    try:
        session, holder = keeper_of(request).session(secret)
    except WrongKey as error:
        raise NotLoggedIn("log in first", what_zh="请先登录") from error
    if holder.is_operator != (room_of(request) == "console"):
        raise NotLoggedIn("log in first", what_zh="请先登录")
    return Visit(request, hub, holder, session, secret)


def sees(right: Right = Right.SEE, *, regional: bool = False) -> Callable[..., Visit]:
    """Who looks at a page and has this right; `regional`: also who is confined to a region, and sees only that.

    Tests read `.right` and `.regional`.  The look is written down.
    """

    def visit(request: Request, hub: TheHub) -> Visit:
        found = visit_of(request, hub)
        demand(found.holder, right, regional=regional)
        noted(request, found.holder, right)
        return found

    visit.right, visit.regional = right, regional  # type: ignore[attr-defined]
    return visit


def acts(right: Right, *, regional: bool = False) -> Callable[..., Visit]:
    """Who sent a form of ours and has this right; `regional`: the page looks whose it is.  Tests read `.right`."""

    def visit(request: Request, hub: TheHub, token: Annotated[str, Form(max_length=64)]) -> Visit:
        found = visit_of(request, hub)
        found.check(token)
        demand(found.holder, right, regional=regional)
        return found

    visit.right, visit.regional = right, regional  # type: ignore[attr-defined]
    return visit


def own(*stages: Stage, form: bool = False) -> Callable[..., Visit]:
    """Who is logged in so far, for what concerns their own log-in: no right is needed.  Tests read `.own`."""

    def visit(request: Request, hub: TheHub) -> Visit:
        found = begun(request, hub)
        if stages and found.session.stage not in stages:
            raise Unfinished(found.session.stage)
        return found

    def sent(request: Request, hub: TheHub, token: Annotated[str, Form(max_length=64)]) -> Visit:
        found = visit(request, hub)
        found.check(token)
        return found

    chosen: Callable[..., Visit] = sent if form else visit
    chosen.own = True  # type: ignore[attr-defined]
    return chosen


#: Who looks at a page.
Viewer = Annotated[Visit, Depends(sees())]
#: The same, also who is confined to a region; the page shows what `visit.scope` lets through.
ViewerOfRegion = Annotated[Visit, Depends(sees(regional=True))]


async def _words(request: Request) -> dict[str, str]:
    return {name: value for name, value in (await request.form()).items() if isinstance(value, str)}


#: Every word of a form, for forms that are made from a data set.
Words = Annotated[dict[str, str], Depends(_words)]


def sheet(content: bytes, name: str) -> Response:
    """A workbook to download."""
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=headers)


def plain_page(request: Request, hub: Hub, name: str, status: int = 200, **values: Any) -> Response:
    """A page of the way in: without a menu."""
    frame = {
        "hub": hub.generations.current().settings.hub.title,
        "root": f"/{room_of(request)}",
        "viewer": "",
        "said": "",
        "wrong": "",
    }
    return HTMLResponse(hub.page(name, language_of(request), **{**frame, **values}), status)


def login_page(request: Request, hub: Hub, wrong: str = "", status: int = 200, said: str = "") -> Response:
    """The log-in; `wrong`: key of a text; `said`: the words themselves."""
    rules = hub.generations.current().settings.people
    return plain_page(
        request,
        hub,
        "login",
        status,
        wrong=said or (hub.text(wrong, language_of(request)) if wrong else ""),
        keys=rules.keys_may_log_in,
        provider=rules.oidc.title if rules.oidc is not None else "",
        to=wanted(request),
    )


def wanted(request: Request) -> str:
    """The page of this room that somebody wanted before they had to log in; '' for none, or for one elsewhere."""
    to = request.query_params.get("to", "")
    room = f"/{room_of(request)}"
    good = (to == room or to.startswith((f"{room}/", f"{room}?"))) and to.isprintable()
    return to if good and "\\" not in to and "//" not in to and len(to) <= 500 else ""


#: Where what is still missing is asked for.
STEPS = {Stage.CODE: "code", Stage.CHANGE: "password", Stage.ENROL: "factor", Stage.OPEN: ""}


def _away(request: Request, error: NotLoggedIn) -> RedirectResponse:
    """To the log-in, or to the step that is missing, and back here afterwards."""
    page = STEPS.get(error.stage, "login") if isinstance(error, Unfinished) else "login"
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    to = "" if path.rstrip("/") == f"/{room_of(request)}" or isinstance(error, Unfinished) else f"?to={quote(path)}"
    return RedirectResponse(f"/{room_of(request)}/{page}{to}", status_code=303)


def _guarded(response: Response, hub: Hub) -> Response:
    response.headers["content-security-policy"] = hub.page_policy
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "same-origin"
    response.headers.setdefault("cache-control", "no-store")
    return response


def _stumbled(request: Request, hub: Hub, error: HubError) -> Response:
    if isinstance(error, NotLoggedIn):
        return login_page(request, hub, status=401) if request.method == "POST" else _away(request, error)
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
            if request.method != "GET":
                hub.ledger.remembered.forget()
            return _guarded(response, hub)

        return answer

"""`/console` for operators and `/sender` for parties: pages made on the server, working without JavaScript."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from datetime import date, timedelta
from typing import Annotated, Any, Literal, get_args
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Query, Request, Response, UploadFile
from fastapi.responses import HTMLResponse, RedirectResponse

from hub.api.access import Doorkeeper, TheHub, may_use
from hub.api.problems import WrongKey
from hub.api.tasks import XLSX, desk
from hub.bootstrap import Hub
from hub.facts import Facts
from hub.ledger import credentials, journal, notices, submissions
from hub.ledger.cases import Selection
from hub.ledger.credentials import Holder
from hub.marked import Marked
from hub.needs import needs
from hub.replay import chosen_of
from hub.reports.span import Every
from hub.tasks import OPERATOR
from hub.tasks import Caller as Who
from standards.clock import local_text
from standards.errors import HubError, NotAllowed, UnknownName
from standards.exports import workbook
from standards.flows import flow, flows
from standards.ports import HandOver
from standards.states import word

router = APIRouter(include_in_schema=False)

_COOKIE, _LANGUAGE = "hub_session", "hub_language"
_HOURS = 12
_DAY = r"^(\d{4}-\d{2}-\d{2})?$"
_MENUS = {
    "console": ("overview", "cases", "tasks", "submissions", "replays", "sharing", "reports", "notices"),
    "sender": ("overview", "cases", "tasks", "submissions", "sharing", "reports", "notices"),
}
#: Where the pages stand: for operators, for parties.
ROOMS = tuple(_MENUS)
_TURNS = {"running": ("pause", "cancel"), "paused": ("resume", "cancel")}


def _room(request: Request) -> str:
    return request.url.path.split("/")[1]


TheRoom = Annotated[str, Depends(_room)]


class _Visit:
    """One request of somebody who is logged in."""

    def __init__(self, request: Request, hub: Hub, room: str, holder: Holder, session: str) -> None:
        self.request, self.hub, self.room, self.holder = request, hub, room, holder
        self.token = _token(session)
        self.language = _language(request)

    @property
    def party(self) -> str:
        return "" if self.holder.is_operator else self.holder.party

    @property
    def who(self) -> Who:
        return Who(OPERATOR if self.holder.is_operator else self.holder.party, self.holder.id)

    def page(self, name: str, here: str, status: int = 200, **values: Any) -> HTMLResponse:
        settings = self.hub.generations.current().settings
        viewer = settings.parties[self.party].title if self.party else self.hub.text("operator", self.language)
        shown = {
            "hub": settings.hub.title,
            "root": f"/{self.room}",
            "menu": _MENUS[self.room],
            "here": here,
            "viewer": viewer,
            "operator": self.holder.is_operator,
            "token": self.token,
            "said": self.request.query_params.get("said", "")[:200],
            "wrong": "",
        }
        return _html(self.hub.page(name, self.language, **{**shown, **values}), status)

    def back(self, path: str, said: str = "") -> RedirectResponse:
        query = f"?said={said}" if said else ""
        return RedirectResponse(f"/{self.room}/{path}{query}", status_code=303)

    def check(self, token: str) -> None:
        """The form came from our own page.  Raises NotAllowed."""
        if not hmac.compare_digest(token, self.token):
            raise NotAllowed("the form is none of ours", what_zh="表单已失效，请刷新页面重试")


def _token(session: str) -> str:
    return hmac.new(session.encode(), b"form", hashlib.sha256).hexdigest()[:32]


def _language(request: Request) -> str:
    return "en" if request.cookies.get(_LANGUAGE) == "en" else "zh"


def _html(text: str, status: int = 200) -> HTMLResponse:
    return HTMLResponse(text, status)


def _visit(request: Request, hub: Hub, room: str) -> _Visit | None:
    """Who is logged in, if it is their room."""
    session = request.cookies.get(_COOKIE, "")
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        holder = keeper.holder(f"Bearer {session}")
    except WrongKey:
        return None
    if holder.is_operator != (room == "console"):
        return None
    return _Visit(request, hub, room, holder, session)


def _login_page(request: Request, hub: Hub, room: str, wrong: str = "", status: int = 200) -> HTMLResponse:
    language = _language(request)
    settings = hub.generations.current().settings
    text = hub.page(
        "login",
        language,
        hub=settings.hub.title,
        root=f"/{room}",
        viewer="",
        said="",
        wrong=hub.text(wrong, language) if wrong else "",
    )
    return _html(text, status)


def _shown(request: Request, hub: Hub, room: str, work: Callable[[_Visit], Response]) -> Response:
    """A page for who is logged in; the log-in for everybody else; what went wrong in words."""
    visit = _visit(request, hub, room)
    if visit is None:
        return _guarded(_login_page(request, hub, room, status=401 if request.method == "POST" else 200), hub)
    try:
        return _guarded(work(visit), hub)
    except HubError as error:
        wrong = error.what if visit.language == "en" else error.what_zh
        hint = (error.hint if visit.language == "en" else error.hint_zh or error.hint) or ""
        shown = visit.page("notices", "", error.status, rows=[], wrong=f"{wrong} {hint}".strip())
        return _guarded(shown, hub)


def _guarded(response: Response, hub: Hub) -> Response:
    response.headers["content-security-policy"] = hub.page_policy
    response.headers["x-content-type-options"] = "nosniff"
    response.headers["referrer-policy"] = "same-origin"
    response.headers["cache-control"] = "no-store"
    return response


@router.get("/style.css")
def style(hub: TheHub, room: TheRoom) -> Response:
    """The style sheet."""
    return Response(hub.page_file("style.css"), media_type="text/css")


@router.get("/icon.svg")
def icon(hub: TheHub) -> Response:
    """What a browser shows beside the title."""
    return Response(hub.page_file("icon.svg"), media_type="image/svg+xml")


@router.get("/language")
def language(room: TheRoom, to: Literal["zh", "en"]) -> Response:
    """Switch the language."""
    answer = RedirectResponse(f"/{room}/", status_code=303)
    answer.set_cookie(_LANGUAGE, to, max_age=365 * 86400, samesite="lax", httponly=True)
    return answer


@router.post("/login")
def login(request: Request, hub: TheHub, room: TheRoom, key: Annotated[str, Form(max_length=200)]) -> Response:
    """A session is a key of its own that ends by itself; the key that was typed is not kept in the browser."""
    keeper: Doorkeeper = request.app.state.doorkeeper
    try:
        holder = keeper.holder(f"Bearer {key.strip()}")
    except WrongKey:
        return _guarded(_login_page(request, hub, room, "wrong_key", 401), hub)
    if holder.is_operator != (room == "console"):
        return _guarded(_login_page(request, hub, room, "wrong_key", 403), hub)
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
        _COOKIE,
        hub.ledger.write(work),
        max_age=_HOURS * 3600,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return answer


@router.post("/logout")
def logout(request: Request, hub: TheHub, room: TheRoom, token: Annotated[str, Form()]) -> Response:
    """The session's key counts no more."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        now = hub.clock.now()
        hub.ledger.write(lambda c: credentials.revoke(c, visit.holder.id, now))
        answer = RedirectResponse(f"/{room}/", status_code=303)
        answer.delete_cookie(_COOKIE)
        return answer

    return _shown(request, hub, room, work)


@router.get("")
@router.get("/")
def overview(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """What needs a person now, and how everything stands."""

    def work(visit: _Visit) -> Response:
        facts = Facts(hub.ledger, hub.clock)
        settings = hub.generations.current().settings
        status = facts.status()
        found = needs(
            status=status if not visit.party else {"destinations": {}, "submissions": {}},
            cases=hub.cases().groups(Selection(visit.party)),
            tasks=[one for one in desk(hub).counts() if not visit.party or one["assignee"] == visit.party],
            titles={name: one.title for name, one in settings.parties.items()},
            datasets={one.id: one.title for one in hub.generations.current().standard},
            last_year=hub.deadlines.calendar.last_known_year() if not visit.party else 9999,
            now=hub.clock.now(),
        )
        mine = [n for n, c in settings.connections.items() if not visit.party or c.party == visit.party]
        seen = {one["connection"]: one for one in facts.connections()}
        nothing = dict.fromkeys(("read", "accepted", "rejected", "held", "duplicate", "delivered"), 0)
        return visit.page(
            "overview",
            "overview",
            at=local_text(hub.clock.now()),
            needs=found,
            destinations=_destinations(status, settings) if not visit.party else [],
            connections=[seen.get(name, {"connection": name, "last_at": "-", **nothing}) for name in mine],
        )

    return _shown(request, hub, room, work)


def _destinations(status: dict[str, Any], settings: Any) -> list[dict[str, Any]]:
    found = []
    for name in settings.destinations:
        one = status["destinations"].get(name, {})
        backlog = one.get("backlog", {})
        oldest = min((state["oldest_at"] for state in backlog.values() if state["oldest_at"]), default="")
        state = str(one.get("state", "up"))
        found.append(
            {
                "name": name,
                "up": state == "up",
                "state": word(state),
                "backlog": sum(held["records"] for held in backlog.values()),
                "oldest": oldest,
                "last_success": one.get("last_success", ""),
                "reason": one.get("reason", ""),
            }
        )
    return found


@router.get("/cases")
def cases(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    party: str = "",
    dataset: str = "",
    code: str = "",
    rehearse: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Open cases by cause and due day; a group of rejected records can be rehearsed and replayed."""

    def work(visit: _Visit) -> Response:
        rehearsal = None
        if rehearse and visit.holder.is_operator:
            replays = hub.replays()
            said = replays.rehearse(replays.plan(Selection(party, "", dataset, code)))
            rehearsal = {**said, "party": party, "dataset": dataset, "code": code}
        groups = hub.cases().groups(Selection(visit.party))
        return visit.page("cases", "cases", groups=groups, rehearsal=rehearsal)

    return _shown(request, hub, room, work)


@router.post("/cases")
def act(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    token: Annotated[str, Form()],
    step: Annotated[Literal["take", "nothing"], Form()],
    class_: Annotated[str, Form(alias="class")] = "",
    party: Annotated[str, Form()] = "",
    dataset: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    named: Annotated[str, Form()] = "",
) -> Response:
    """One action for a whole group."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        which = Selection(visit.party or party, class_, dataset, code)
        found = hub.cases()
        if step == "take":
            found.take(which, visit.holder.id, "")
        else:
            found.nothing(which, visit.holder.id, named)
        return visit.back("cases", hub.text("done", visit.language))

    return _shown(request, hub, room, work)


@router.get("/replays")
def replays(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """How far replays have come."""

    def work(visit: _Visit) -> Response:
        _operators(visit)
        found = hub.replays()
        rows = [{**found.one(UUID(one["id"])), "turns": _TURNS.get(one["state"], ())} for one in found.listed(20)]
        return visit.page("replays", "replays", rows=rows)

    return _shown(request, hub, room, work)


@router.post("/replays")
def replay(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    token: Annotated[str, Form()],
    reason: Annotated[str, Form(max_length=500)],
    party: Annotated[str, Form()] = "",
    dataset: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
) -> Response:
    """Replay a group that was rehearsed."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        _operators(visit)
        found, which = hub.replays(), Selection(party, "", dataset, code)
        found.start(found.plan(which), visit.holder.id, reason, chosen_of(which, "", ()))
        return visit.back("replays", hub.text("done", visit.language))

    return _shown(request, hub, room, work)


@router.post("/replays/{identifier}")
def turn(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    identifier: UUID,
    token: Annotated[str, Form()],
    turn: Annotated[Literal["pause", "resume", "cancel"], Form()],
) -> Response:
    """Pause, go on, cancel."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        _operators(visit)
        hub.replays().turn(identifier, turn, visit.holder.id)
        return visit.back("replays", hub.text("done", visit.language))

    return _shown(request, hub, room, work)


@router.get("/tasks")
def tasks(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """What must be answered, the most urgent first."""

    def work(visit: _Visit) -> Response:
        found = desk(hub).find(visit.who, limit=300)
        mine = [one["flow"] for one in found if one["assignee"] == visit.party] if visit.party else []
        lists = [{"flow": name, "title": flows()[name].title} for name in dict.fromkeys(mine)]
        return visit.page("tasks", "tasks", tasks=found, flows=lists)

    return _shown(request, hub, room, work)


@router.get("/worklist.xlsx")
def worklist(request: Request, hub: TheHub, room: TheRoom, flow: Annotated[str, Query(max_length=40)]) -> Response:
    """The work list in Excel."""

    def work(visit: _Visit) -> Response:
        dataset, rows = desk(hub).worklist(visit.who, flow)
        standard = hub.generations.current().standard
        return _sheet(workbook.export(standard.dataset(dataset), standard, rows), f"{flow}.xlsx")

    return _shown(request, hub, room, work)


@router.get("/template.xlsx")
def template(request: Request, hub: TheHub, room: TheRoom, dataset: Annotated[str, Query(max_length=64)]) -> Response:
    """The Excel template of a data set."""

    def work(_visit: _Visit) -> Response:
        standard = hub.generations.current().standard
        return _sheet(workbook.export(standard.dataset(dataset), standard), f"{dataset}.xlsx")

    return _shown(request, hub, room, work)


def _sheet(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(content, media_type=XLSX, headers=headers)


@router.get("/tasks/{task}")
def task(request: Request, hub: TheHub, room: TheRoom, task: UUID) -> Response:
    """A task, its steps, and a form for each step that may be taken now."""
    return _shown(request, hub, room, lambda visit: _task(visit, hub, task))


def _task(visit: _Visit, hub: Hub, task: UUID, wrong: str = "", status: int = 200) -> Response:
    one = desk(hub).one(visit.who, task)
    standard = hub.generations.current().standard
    its = flow(one["flow"])
    named = [standard.dataset(its.answered_by)] if its.answered_by else [standard.dataset(n) for n in its.opened_by]
    parties = [(name, said.title) for name, said in hub.generations.current().settings.parties.items()]
    fields: dict[str, list[dict[str, Any]]] = {}
    for step in one["allowed"]:
        fields[step["step"]] = []
        for name in step["needs"]:
            element = next((d.by_id[name] for d in named if name in d.by_id), None)
            choices = parties if name == "party" else []
            if element is not None and element.list:
                choices = [(code.code, code.name) for code in standard.codelist(element.list).codes]
            titles = (element.title, element.title_en) if element is not None else _WORDS.get(name, (name, name))
            fields[step["step"]].append({"name": name, "title": titles[0], "title_en": titles[1], "choices": choices})
    opened = next((d for d in map(standard.dataset, its.opened_by) if set(one["record"]) <= set(d.by_id)), None)
    title = {e.id: e.title for e in opened.elements} if opened is not None else {}
    record = [(title.get(name, name), value) for name, value in one["record"].items()]
    return visit.page("task", "tasks", status, one={**one, "record": record}, fields=fields, wrong=wrong)


_WORDS = {"party": ("转给", "hand on to"), "reason": ("理由", "reason")}


@router.post("/tasks/{task}")
async def step(request: Request, hub: TheHub, room: TheRoom, task: UUID) -> Response:
    """Take a step; a refusal is shown on the task's page."""
    form = dict(parse_qsl((await request.body()).decode("utf-8", "replace"), keep_blank_values=True))

    def work(visit: _Visit) -> Response:
        visit.check(form.get("token", ""))
        said = {name.removeprefix("said."): value for name, value in form.items() if name.startswith("said.")}
        try:
            desk(hub).step(visit.who, task, form.get("step", ""), said)
        except HubError as error:
            wrong = error.what if visit.language == "en" else error.what_zh
            return _task(visit, hub, task, wrong, error.status)
        return visit.back(f"tasks/{task}", hub.text("done", visit.language))

    return _shown(request, hub, room, work)


@router.get("/submissions")
def listed(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """The newest hand-overs, and a form to hand over a file."""

    def work(visit: _Visit) -> Response:
        generation = hub.generations.current()
        with hub.ledger.read() as connection:
            found = list(submissions.listed(connection, party=visit.party or None, connection_name=None, limit=100))
        rows = [
            {
                "receipt_no": s.receipt_no,
                "party": s.party,
                "connection": s.connection,
                "name": s.name,
                "state": s.state,
                "state_zh": word(s.state),
                "received_at": local_text(s.received_at),
                "counts": {n: getattr(s, n) for n in ("read", "accepted", "rejected", "held", "duplicate")},
            }
            for s in found
        ]
        uploads = []
        for name, said in generation.settings.connections.items():
            if visit.party and said.party == visit.party:
                dataset = generation.dataset_of(name)
                plain = dataset if dataset and not said.mapping else ""
                title = generation.standard.dataset(plain).title if plain else ""
                uploads.append({"name": name, "dataset": plain, "title": title})
        return visit.page("submissions", "submissions", rows=rows, uploads=uploads)

    return _shown(request, hub, room, work)


@router.post("/submissions")
def upload(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    token: Annotated[str, Form()],
    connection: Annotated[str, Form(max_length=63)],
    file: UploadFile,
) -> Response:
    """A file, as a clerk hands it over."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        may_use(hub, visit.holder, connection)
        hand_over = HandOver(
            connection=connection,
            name=(file.filename or "")[:255],
            content_type=file.content_type or "",
            actor=visit.holder.id,
        )
        kept = hub.intake.receive(hand_over, iter(lambda: file.file.read(1 << 20), b""))
        return visit.back(f"submissions/{kept.receipt_no}")

    return _shown(request, hub, room, work)


@router.get("/submissions/{receipt_no}")
def receipt(request: Request, hub: TheHub, room: TheRoom, receipt_no: str) -> Response:
    """A receipt, record by record."""

    def work(visit: _Visit) -> Response:
        view = _receipt(visit, hub, receipt_no)
        return visit.page("receipt", "submissions", receipt=view)

    return _shown(request, hub, room, work)


@router.get("/submissions/{receipt_no}/marked.xlsx")
def marked(request: Request, hub: TheHub, room: TheRoom, receipt_no: str) -> Response:
    """The clerk's own workbook with its faults marked."""

    def work(visit: _Visit) -> Response:
        _receipt(visit, hub, receipt_no)
        return _sheet(
            Marked(hub.ledger, hub.generations, hub.receipts, hub.seal).workbook(receipt_no), f"{receipt_no}.xlsx"
        )

    return _shown(request, hub, room, work)


def _receipt(visit: _Visit, hub: Hub, receipt_no: str) -> dict[str, Any]:
    view = hub.receipts.receipt(receipt_no)
    if view is None or (visit.party and view.document["party"] != visit.party):
        raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
    document = dict(view.document)
    problem = document.get("problem")
    if isinstance(problem, dict):
        problem = problem.get("what" if visit.language == "en" else "what_zh") or str(problem)
    document["problem"] = problem or ""
    return document


@router.get("/sharing")
def sharing(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """Grants, and who looked."""

    def work(visit: _Visit) -> Response:
        found = hub.sharing()
        return visit.page("sharing", "sharing", grants=found.grants(visit.party), looks=found.looks(visit.party))

    return _shown(request, hub, room, work)


@router.get("/reports")
def reports(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    every: Every = "month",
    at: Annotated[str, Query(pattern=_DAY)] = "",
) -> Response:
    """Figures, score and rank of a span; a party sees its own."""

    def work(visit: _Visit) -> Response:
        found = hub.reports().report(every, date.fromisoformat(at) if at else None, visit.party)
        title, tables = hub.report_tables(found, visit.language)
        shown = {"every": every, "at": at or found["last"], "spans": get_args(Every), "parties": found["parties"]}
        return visit.page("reports", "reports", title=title, tables=tables, **shown)

    return _shown(request, hub, room, work)


@router.get("/report.xlsx")
def report_sheet(
    request: Request,
    hub: TheHub,
    room: TheRoom,
    every: Every = "month",
    at: Annotated[str, Query(pattern=_DAY)] = "",
) -> Response:
    """The same in Excel."""

    def work(visit: _Visit) -> Response:
        found = hub.reports().report(every, date.fromisoformat(at) if at else None, visit.party)
        return _sheet(hub.report_sheet(found, visit.language), f"report-{every}-{found['first']}.xlsx")

    return _shown(request, hub, room, work)


@router.get("/rectification")
def rectification(
    request: Request, hub: TheHub, room: TheRoom, party: Annotated[str, Query(max_length=64)] = ""
) -> Response:
    """整改通知, to print or to send."""

    def work(visit: _Visit) -> Response:
        return visit.page("rectification", "reports", one=hub.reports().rectification(visit.party or party))

    return _shown(request, hub, room, work)


@router.post("/rectification")
def rectify(
    request: Request, hub: TheHub, room: TheRoom, token: Annotated[str, Form()], party: Annotated[str, Form()]
) -> Response:
    """Send it."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        _operators(visit)
        hub.reports().send_rectification(party, visit.holder.id)
        return visit.back(f"rectification?party={party}&said={hub.text('sent', visit.language)}")

    return _shown(request, hub, room, work)


@router.get("/circular")
def circular(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """通报, to print or to send."""

    def work(visit: _Visit) -> Response:
        _operators(visit)
        return visit.page("circular", "reports", one=hub.reports().circular())

    return _shown(request, hub, room, work)


@router.post("/circular")
def announce(request: Request, hub: TheHub, room: TheRoom, token: Annotated[str, Form()]) -> Response:
    """Send it."""

    def work(visit: _Visit) -> Response:
        visit.check(token)
        _operators(visit)
        hub.reports().send_circular(visit.holder.id)
        return visit.back("circular", hub.text("sent", visit.language))

    return _shown(request, hub, room, work)


@router.get("/notices")
def told(request: Request, hub: TheHub, room: TheRoom) -> Response:
    """Who was told what."""

    def work(visit: _Visit) -> Response:
        whom = (visit.party,) if visit.party else (notices.OPERATOR, notices.ABOVE)
        with hub.ledger.read() as connection:
            found = notices.find(connection, whom, limit=200)
        return visit.page("notices", "notices", rows=[_notice(visit, one) for one in found])

    return _shown(request, hub, room, work)


def _notice(visit: _Visit, one: dict[str, Any]) -> dict[str, Any]:
    said = visit.hub.text(f"says_{one['says']}", visit.language)
    return {**one, "at": local_text(one["at"]), "said": said}


def _operators(visit: _Visit) -> None:
    if not visit.holder.is_operator:
        raise NotAllowed("only the operator may do this", what_zh="只有运维人员可以执行该操作")

"""One's own log-in: the code, another password, the second factor, one's sessions.  No right is needed for these."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, Response
from sqlalchemy import Connection

from hub.api.console.entrance import let_in, put_session
from hub.api.console.visit import Page, Visit, own, plain_page
from hub.api.people import told, where_of
from hub.ledger import journal, people, sessions
from hub.ledger.sessions import Stage
from hub.people import factor
from hub.people.login import WrongLogin
from hub.people.passwords import BadPassword
from standards.errors import HubError, NotAllowed

router = APIRouter(route_class=Page)

Short = Annotated[str, Form(max_length=40)]
Long = Annotated[str, Form(max_length=200)]


@router.get("/code")
def ask_code(visit: Annotated[Visit, Depends(own(Stage.CODE))]) -> Response:
    """The code of the second factor."""
    return _step(visit, "code")


@router.post("/code")
def code(visit: Annotated[Visit, Depends(own(Stage.CODE, form=True))], code: Short = "") -> Response:
    """Or a recovery code."""
    try:
        entered = visit.hub.login().by_code(visit.session, code, where_of(visit.request))
    except WrongLogin as error:
        return _step(visit, "code", error)
    return let_in(visit.request, visit.hub, entered)


@router.get("/password")
def ask_password(visit: Annotated[Visit, Depends(own(Stage.CHANGE, Stage.OPEN))]) -> Response:
    """Another password."""
    return _password(visit)


@router.post("/password")
def password(
    visit: Annotated[Visit, Depends(own(Stage.CHANGE, Stage.OPEN, form=True))],
    new: Long = "",
    again: Long = "",
    old: Long = "",
) -> Response:
    """The other sessions end."""
    if new != again:
        return _password(visit, BadPassword("the two are not the same", what_zh="两次输入的密码不一致"))
    _person(visit)
    try:
        entered = visit.hub.login().change_password(visit.session, old, new, where_of(visit.request))
    except (WrongLogin, BadPassword) as error:
        return _password(visit, error)
    return let_in(visit.request, visit.hub, entered)


def _password(visit: Visit, error: HubError | None = None) -> Response:
    rules = visit.hub.generations.current().settings.people
    opened = visit.session.stage is Stage.OPEN
    return _step(visit, "password", error, opened=opened, length=rules.password_length, kinds=rules.password_kinds)


@router.get("/factor")
def ask_factor(visit: Annotated[Visit, Depends(own(Stage.ENROL, Stage.OPEN))]) -> Response:
    """A second factor to set up: a picture for the authenticator, and the same in letters."""
    return _factor(visit)


@router.post("/factor")
def confirm(visit: Annotated[Visit, Depends(own(Stage.ENROL, Stage.OPEN, form=True))], code: Short = "") -> Response:
    """The first code proves that the authenticator works; recovery codes are shown this once."""
    _person(visit)
    try:
        entered, codes = visit.hub.login().confirm_factor(visit.session, code, where_of(visit.request))
    except WrongLogin as error:
        return _factor(visit, error)
    answer = plain_page(visit.request, visit.hub, "recovery", codes=codes)
    put_session(visit.request, visit.hub, answer, entered)
    return answer


def _factor(visit: Visit, error: HubError | None = None) -> Response:
    _person(visit)
    one, secret = visit.hub.login().new_factor(visit.session)
    said = factor.address(secret, one.name, visit.hub.settings.hub.title)
    letters = " ".join(secret[n : n + 4] for n in range(0, len(secret), 4))
    return _step(visit, "factor", error, picture=factor.picture(said), secret=letters)


@router.get("/me")
def me(visit: Annotated[Visit, Depends(own(Stage.OPEN))]) -> Response:
    """One's own sessions, password and second factor."""
    _person(visit)
    now, idle = visit.hub.clock.now(), visit.hub.generations.current().settings.people.idle
    with visit.hub.ledger.read() as connection:
        one = people.find(connection, visit.holder.user)
        found = sessions.of_person(connection, visit.holder.user, now, idle)
        left = people.codes_left(connection, visit.holder.user)
    assert one is not None
    rows = [told(each, visit.session) for each in found]
    return visit.page("me", "me", rows=rows, has_factor=one.has_factor, left=left, has_password=bool(one.password))


@router.post("/me")
def end(visit: Annotated[Visit, Depends(own(Stage.OPEN, form=True))], session: Short) -> Response:
    """End one of one's sessions."""
    now, name = visit.hub.clock.now(), visit.holder.user

    def work(connection: Connection) -> None:
        if sessions.end(connection, now, identifier=session, person=name):
            entry = journal.Entry("session_ended", visit.holder.id, detail={"session": session})
            journal.append(connection, [entry], now)

    visit.hub.ledger.write(work)
    return visit.back("me", visit.text("done"))


def _person(visit: Visit) -> None:
    if not visit.holder.user:
        raise NotAllowed("a key has no account", what_zh="密钥没有个人账号")


def _step(visit: Visit, name: str, error: HubError | None = None, **values: object) -> Response:
    wrong = visit.wrong(error) if error is not None else ""
    status = error.status if error is not None else 200
    if visit.session.stage is Stage.OPEN:
        return visit.page(name, "me", status, wrong=wrong, **values)
    return plain_page(visit.request, visit.hub, name, status, wrong=wrong, token=visit.token, **values)

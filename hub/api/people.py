"""`/v1/users` and `/v1/sessions`: accounts of people, and logging in without a page."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr

from hub.api.access import Doorkeeper, Manages, TheHub, keeper_of
from hub.api.problems import WrongKey
from hub.ledger import journal, people, sessions
from hub.ledger.credentials import Holder
from hub.ledger.sessions import Session, Stage
from hub.people.desk import Powers
from hub.people.login import Where
from standards.clock import local_text
from standards.errors import NotAllowed, UnknownName
from standards.rights import Right, Role

router = APIRouter(prefix="/v1/users", tags=["用户 users"])
#: Logging in, and one's own sessions: no right is needed.
entry = APIRouter(prefix="/v1/sessions", tags=["用户 users"])


class Given(BaseModel):
    """What somebody may do."""

    roles: list[Role] = Field([], max_length=8, description="角色 roles")
    rights: list[Right] = Field([], max_length=20, description="另加的单项权限 single rights beside those of the roles")
    region: str = Field("", pattern=r"^(\d{6})?$", description="限定的行政区划 region they are confined to")

    def powers(self) -> Powers:
        """As the desk takes it."""
        return Powers(roles=frozenset(self.roles), more=frozenset(self.rights), region=self.region)


class NewUser(Given):
    """Somebody new."""

    name: str = Field(max_length=40, description="用户名 what they log in with")
    title: str = Field(max_length=80, description="真实姓名 real name")
    party: str = Field("", max_length=64, description="所属接入方，空为枢纽 party; empty: the hub's own")


class Standing(BaseModel):
    """Whether somebody may log in."""

    state: Literal["active", "disabled"] = Field(description="active 启用；disabled 停用")
    reason: str = Field("", max_length=200, description="原因 why")


class Reset(BaseModel):
    """What is begun anew."""

    factor: bool = Field(False, description="同时重设二次验证 the second factor too")


@router.get("", summary="用户列表 users")
def listed(hub: TheHub, who: Manages) -> list[dict[str, Any]]:
    """With roles and rights; an administrator of a party sees the party's."""
    return hub.people().listed(who)


@router.post("", summary="新建用户 a new user", status_code=201)
def add(hub: TheHub, who: Manages, body: NewUser) -> dict[str, str]:
    """The password is shown this once, and must be changed at the first log-in."""
    return {"name": body.name, "password": hub.people().add(who, body.name, body.title, body.party, body.powers())}


@router.post("/{name}/roles", summary="角色与权限 roles and rights")
def empower(hub: TheHub, who: Manages, name: str, body: Given) -> dict[str, Any]:
    """Instead of those before; the sessions end.  Nobody changes their own, nobody is two of three administrators."""
    desk = hub.people()
    desk.empower(who, name, body.powers())
    return desk.one(who, name)


@router.post("/{name}/state", summary="启用、停用 enable or disable")
def stand(hub: TheHub, who: Manages, name: str, body: Standing) -> dict[str, Any]:
    """Who is disabled is out at once."""
    desk = hub.people()
    desk.set_active(who, name, active=body.state == "active", reason=body.reason)
    return desk.one(who, name)


@router.post("/{name}/reset", summary="重置密码 a new password to begin with")
def reset(hub: TheHub, who: Manages, name: str, body: Reset) -> dict[str, str]:
    """Shown this once; whoever was locked out may try again."""
    return {"name": name, "password": hub.people().reset(who, name, factor=body.factor)}


class Entering(BaseModel):
    """Who logs in."""

    name: str = Field(max_length=200, description="用户名 name")
    password: SecretStr = Field(max_length=200, description="密码 password")
    code: SecretStr = Field(SecretStr(""), max_length=40, description="验证码或恢复码 code of the second factor")


@entry.post("", summary="登录 log in", status_code=201)
def enter(hub: TheHub, request: Request, body: Entering) -> dict[str, str]:
    """The token is sent as a bearer key.  A first log-in, which changes the password, is made on the page."""
    door, where = hub.login(), where_of(request)
    entered = door.by_password(body.name, body.password.get_secret_value(), where)
    if entered.stage is Stage.CODE and body.code.get_secret_value():
        session, _ = keeper_of(request).session(entered.token)
        entered = door.by_code(session, body.code.get_secret_value(), where)
    if entered.stage is not Stage.OPEN:
        wanted = {
            Stage.CODE: ("a code of the second factor", "还需要二次验证码 code"),
            Stage.CHANGE: ("another password, on the page", "请先在页面上修改密码"),
            Stage.ENROL: ("a second factor, on the page", "请先在页面上设置二次验证"),
        }[entered.stage]
        raise WrongKey(f"this needs {wanted[0]}", what_zh=wanted[1])
    return {"token": entered.token, "ends_at": local_text(entered.ends_at)}


def own_session(request: Request) -> tuple[Session, Holder]:
    """The person who calls, by their session.  Raises WrongKey, NotAllowed."""
    keeper: Doorkeeper = keeper_of(request)
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    holder = keeper.holder(request.headers.get("authorization"))
    if scheme.lower() != "bearer" or not token.startswith(sessions.PREFIX) or not holder.user:
        raise NotAllowed("a key has no sessions", what_zh="密钥没有会话")
    return keeper.session(token)


own_session.own = True  # type: ignore[attr-defined]
Own = Annotated[tuple[Session, Holder], Depends(own_session)]


@entry.get("", summary="我的会话 my sessions")
def mine(hub: TheHub, own: Own) -> list[dict[str, Any]]:
    """Those that go on, the newest first."""
    now, idle = hub.clock.now(), hub.generations.current().settings.people.idle
    with hub.ledger.read() as connection:
        found = sessions.of_person(connection, own[1].user, now, idle)
    return [told(one, own[0]) for one in found]


def told(one: Session, present: Session) -> dict[str, Any]:
    """A session for who has it."""
    return {
        "id": one.id,
        "way": one.way,
        "address": one.address,
        "agent": one.agent,
        "started_at": local_text(one.started_at),
        "seen_at": local_text(one.seen_at),
        "this": one.id == present.id,
    }


@entry.delete("/{identifier}", summary="结束会话 end one of my sessions")
def leave(hub: TheHub, own: Own, identifier: str) -> dict[str, str]:
    """At once; `this`: the one that calls."""
    session, holder = own
    chosen = session.id if identifier == "this" else identifier
    now = hub.clock.now()

    def work(connection: Any) -> bool:
        done = sessions.end(connection, now, identifier=chosen, person=holder.user)
        if done:
            entry_ = journal.Entry("session_ended", people.PREFIX + holder.user, detail={"session": chosen})
            journal.append(connection, [entry_], now)
        return done

    if not hub.ledger.write(work):
        raise UnknownName(f"no session {identifier} of yours", what_zh="没有这个会话")
    return {"id": chosen, "state": "ended"}


def where_of(request: Request) -> Where:
    """Where a request comes from."""
    address = request.client.host if request.client is not None else ""
    return Where(address, request.headers.get("user-agent", ""))

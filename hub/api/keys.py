"""`/v1/keys`: keys of machines.  A key opens what its side may do, or less; who makes one gives nothing they lack."""

from __future__ import annotations

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field
from sqlalchemy import Connection

from hub.api.access import Manages, TheHub, keeper_of
from hub.bootstrap import Hub
from hub.ledger import credentials, journal
from hub.ledger.credentials import Holder
from standards.clock import local_text
from standards.errors import NotAllowed, UnknownName
from standards.rights import OF_ADMINISTRATORS, OF_THE_HUB, Right

router = APIRouter(prefix="/v1/keys", tags=["密钥 keys"])


class NewKey(BaseModel):
    """A key to be made."""

    party: str = Field("", max_length=64, description="单位，空为运维 party; empty: the operator")
    note: str = Field("", max_length=200, description="用途 what it is for")
    rights: list[Right] = Field([], max_length=20, description="权限，空为该方全部 rights; empty: all of its side")


def allowed_rights(who: Holder, party: str, wanted: set[Right]) -> set[Right]:
    """The rights of a key that somebody makes; empty: all of its side.  Raises NotAllowed.

    A key without bounds can make others: with it everything is possible that its side can do.  A person of a party
    therefore gives only what they have, and a person of the hub no key that would be an administrator.
    """
    if party and (wrong := wanted & OF_THE_HUB):
        names = "、".join(sorted(wrong))
        raise NotAllowed(f"a key of a party cannot have {names}", what_zh=f"接入方的密钥不能拥有 {names}")
    if who.party:
        own = {right for right in Right if who.may(right)} - {Right.PEOPLE}
        if wrong := wanted - own:
            names = "、".join(sorted(wrong))
            raise NotAllowed(f"nobody gives a right that they do not have: {names}", what_zh=f"不能授予 {names}")
        return wanted or own
    if who.user or who.rights:
        if not party and (not wanted or wanted & OF_ADMINISTRATORS):
            raise NotAllowed(
                "a key of the hub that a person makes names its rights, none of an administrator among them",
                what_zh="由个人新建的枢纽密钥必须写明权限，且不含三员的权限",
                hint="name them with --right; keys without bounds are made on the hub's machine",
                hint_zh="请用 --right 写明；不限权限的密钥须在枢纽主机上新建",
            )
        return wanted if wanted or not party else set(Right) - OF_THE_HUB - {Right.PEOPLE}
    return wanted


def make(hub: Hub, who: Holder, party: str, note: str, rights: set[Right]) -> tuple[str, str]:
    """A new key: its id, and the key itself.  Raises UnknownName, NotAllowed."""
    if who.party and party != who.party:
        raise NotAllowed("only keys of one's own party", what_zh="只能管理本单位的密钥")
    if party and party not in hub.generations.current().settings.parties:
        raise UnknownName.of("party", "接入方", party, hub.generations.current().settings.parties)
    given = sorted(allowed_rights(who, party, rights))
    now = hub.clock.now()

    def work(connection: Connection) -> tuple[str, str]:
        made = credentials.make(connection, party, now, by=who.id, note=note, rights=given)
        entry = journal.Entry("key_made", who.id, detail={"key": made[0], "party": party, "rights": " ".join(given)})
        journal.append(connection, [entry], now)
        return made

    return hub.ledger.write(work)


def listed(hub: Hub, who: Holder) -> list[dict[str, str]]:
    """All keys, or those of a party, without the keys."""
    with hub.ledger.read() as connection:
        rows = credentials.listed(connection)
    return [
        {
            "id": r.id,
            "party": r.party,
            "note": r.note,
            "rights": r.rights,
            "created_at": local_text(r.created_at),
            "created_by": r.created_by,
            "expires_at": local_text(r.expires_at),
            "revoked_at": local_text(r.revoked_at),
        }
        for r in rows
        if not who.party or r.party == who.party
    ]


def end(hub: Hub, who: Holder, identifier: str) -> None:
    """A key counts no more.  Raises NotAllowed, UnknownName."""
    if identifier == who.id:
        raise NotAllowed("nobody saws off the branch they sit on", what_zh="不能撤销正在使用的密钥")
    now = hub.clock.now()

    def work(connection: Connection) -> bool:
        held = credentials.holder_of(connection, identifier, now)
        if who.party and (held is None or held.party != who.party):
            return False
        done = credentials.revoke(connection, identifier, now)
        if done:
            journal.append(connection, [journal.Entry("key_revoked", who.id, detail={"key": identifier})], now)
        return done

    if not hub.ledger.write(work):
        raise UnknownName(f"no key {identifier}", what_zh=f"没有编号为 {identifier} 的密钥")


@router.post("", summary="新建密钥 make a key", status_code=201)
def new_key(hub: TheHub, who: Manages, body: NewKey) -> dict[str, str]:
    """The key is shown this once."""
    identifier, key = make(hub, who, body.party, body.note, set(body.rights))
    return {"id": identifier, "key": key, "party": body.party}


@router.get("", summary="密钥列表 keys")
def keys(hub: TheHub, who: Manages) -> list[dict[str, str]]:
    """All keys, without the keys; an administrator of a party sees the party's."""
    return listed(hub, who)


@router.delete("/{identifier}", summary="撤销密钥 revoke a key")
def revoke(hub: TheHub, who: Manages, request: Request, identifier: str) -> dict[str, str]:
    """It counts no more, within seconds, and the sessions it opened end."""
    end(hub, who, identifier)
    keeper_of(request).forget()
    return {"id": identifier, "state": "revoked"}

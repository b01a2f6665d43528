"""The desk of people: who has an account, with which roles and rights; who may say so, and what nobody may."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from hub.generations import Generations
from hub.ledger import attempts, journal, people
from hub.ledger.credentials import Holder
from hub.ledger.engine import Ledger
from hub.ledger.people import ACTIVE, DISABLED, Person
from hub.people import passwords
from standards.clock import Clock, local_text
from standards.errors import HubError, NotAllowed, UnknownName
from standards.rights import TITLES, Right, Role, faults, rights_of

_NAME = re.compile(r"^[a-z][a-z0-9._-]{2,39}$")


class BadAccount(HubError):
    """An account that cannot be as it was said."""

    code = "bad-account"
    status = 422
    title_zh = "账号信息有误"
    title = "the account is wrong"


@dataclass(frozen=True, slots=True, kw_only=True)
class Powers:
    """What somebody may do, and where."""

    roles: frozenset[Role]
    #: Single rights beside those of the roles.
    more: frozenset[Right] = frozenset()
    region: str = ""


@dataclass(slots=True)
class PeopleDesk:
    """Accounts of people, for who has the right `people`."""

    ledger: Ledger
    generations: Generations
    clock: Clock

    def listed(self, by: Holder) -> list[dict[str, Any]]:
        """Everybody; an administrator of a party sees the party's."""
        with self.ledger.read() as connection:
            return [told(one) for one in people.listed(connection, by.party or None)]

    def one(self, by: Holder, name: str) -> dict[str, Any]:
        """Somebody.  Raises UnknownName."""
        with self.ledger.read() as connection:
            return told(self._found(connection, by, name))

    def add(self, by: Holder, name: str, title: str, party: str, powers: Powers) -> str:
        """Somebody new; the password to begin with, which nobody can read again.  Raises BadAccount, NotAllowed."""
        if not _NAME.match(name):
            raise BadAccount(
                "a name is 3 to 40 small letters, digits, . _ -, beginning with a letter",
                what_zh="用户名为 3 至 40 个小写字母、数字或 . _ -，以字母开头",
            )
        if len(title.strip()) < 2:
            raise BadAccount("the real name is missing", what_zh="请填写真实姓名")
        if by.party and party != by.party:
            raise NotAllowed("only people of one's own party", what_zh="只能管理本单位人员")
        known = self.generations.current().settings.parties
        if party and party not in known:
            raise UnknownName.of("party", "接入方", party, known)
        self._check(by, party, powers, frozenset())
        password = passwords.initial()
        stored = passwords.hashed(password)
        now = self.clock.now()
        values = {
            "name": name,
            "title": title.strip(),
            "party": party,
            "state": ACTIVE,
            **_stored(powers),
            "password": stored,
            "password_at": now,
            "must_change": True,
            "created_at": now,
            "created_by": by.id,
        }

        def work(connection: Connection) -> None:
            if not people.add(connection, values):
                raise BadAccount(f"the name {name} is taken", what_zh=f"用户名 {name} 已被使用")
            self._note(connection, "user_added", by, name, now, party=party, **_stored(powers))

        self.ledger.write(work)
        return password

    def empower(self, by: Holder, name: str, powers: Powers) -> None:
        """Roles, rights and region from now on; the sessions end.  Raises BadAccount, NotAllowed, UnknownName."""
        now = self.clock.now()

        def work(connection: Connection) -> None:
            one = self._other(connection, by, name)
            self._check(by, one.party, powers, one.more)
            people.change(connection, name, **_stored(powers))
            people.end_sessions(connection, name, now)
            before = _stored(Powers(roles=one.roles, more=one.more, region=one.region))
            self._note(connection, "user_roles", by, name, now, before=before, **_stored(powers))

        self.ledger.write(work)

    def set_active(self, by: Holder, name: str, *, active: bool, reason: str = "") -> None:
        """Somebody may log in, or no more; then the sessions end at once.  Raises NotAllowed, UnknownName."""
        now = self.clock.now()

        def work(connection: Connection) -> None:
            self._other(connection, by, name)
            people.change(connection, name, state=ACTIVE if active else DISABLED)
            if not active:
                people.end_sessions(connection, name, now)
            action = "user_enabled" if active else "user_disabled"
            self._note(connection, action, by, name, now, reason=reason[:200])

        self.ledger.write(work)

    def reset(self, by: Holder, name: str, *, factor: bool = False) -> str:
        """A new password to begin with; `factor`: the second factor is set up anew too.

        Raises NotAllowed, UnknownName.  Who was locked out can try again at once; the sessions end.
        """
        password = passwords.initial()
        stored = passwords.hashed(password)
        now = self.clock.now()

        def work(connection: Connection) -> None:
            self._other(connection, by, name)
            values: dict[str, Any] = {"password": stored, "password_at": now, "must_change": True}
            if factor:
                values |= {"secret": None, "secret_key_ref": None, "secret_at": None}
                people.put_codes(connection, name, ())
            people.change(connection, name, **values)
            people.end_sessions(connection, name, now)
            attempts.forget(connection, name)
            self._note(connection, "user_reset", by, name, now, factor=factor)

        self.ledger.write(work)
        return password

    # Inside

    def _found(self, connection: Connection, by: Holder, name: str) -> Person:
        one = people.find(connection, name)
        if one is None or (by.party and one.party != by.party):
            raise UnknownName(f"no user {name}", what_zh=f"没有用户 {name}")
        return one

    def _other(self, connection: Connection, by: Holder, name: str) -> Person:
        if by.user == name:
            raise NotAllowed("nobody changes their own account here", what_zh="不能修改自己的账号权限")
        return self._found(connection, by, name)

    def _check(self, by: Holder, party: str, powers: Powers, had: Collection[Right]) -> None:
        wrong = faults(powers.roles, powers.more, of_party=bool(party))
        region = self.generations.current().settings.hub.region
        if powers.region and party:
            wrong.append(("只有枢纽人员可以限定区域", "only the hub's own people are confined to a region"))
        if Role.REGION_ADMIN in powers.roles and not powers.region:
            wrong.append(("区域管理员须指定行政区划", "a region administrator needs a region"))
        if powers.region and not within(powers.region, region):
            wrong.append((f"{powers.region} 不在本枢纽区划 {region} 之内", f"{powers.region} is not within {region}"))
        if wrong:
            raise BadAccount("; ".join(en for _, en in wrong), what_zh="；".join(zh for zh, _ in wrong))
        if by.party and (above := {one for one in powers.more if one not in had and not by.may(one)}):
            names = sorted(above)
            raise NotAllowed(
                f"nobody gives a right that they do not have: {', '.join(names)}",
                what_zh=f"不能授予自己没有的权限：{'、'.join(names)}",
                hint_zh="请联系枢纽的安全管理员",
                hint="ask the hub's security administrator",
            )

    @staticmethod
    def _note(connection: Connection, action: str, by: Holder, name: str, now: datetime, **detail: Any) -> None:
        journal.append(connection, [journal.Entry(action, by.id, detail={"user": name, **detail})], now)


def within(region: str, above: str) -> bool:
    """Whether a GB/T 2260 code lies within another: 140211 within 140200 within 140000."""
    stem = above
    while stem.endswith("00"):
        stem = stem[:-2]
    return region.startswith(stem)


def told(one: Person) -> dict[str, Any]:
    """A person for people, without anything that opens a door."""
    return {
        "name": one.name,
        "title": one.title,
        "party": one.party,
        "roles": sorted(one.roles),
        "roles_zh": [TITLES[role][0] for role in sorted(one.roles)],
        "roles_en": [TITLES[role][1] for role in sorted(one.roles)],
        "more": sorted(one.more),
        "rights": sorted(rights_of(one.roles, one.more)),
        "region": one.region,
        "active": one.active,
        "must_change": one.must_change,
        "second_factor": one.has_factor,
        "created_at": local_text(one.created_at),
        "created_by": one.created_by,
        "logged_in_at": local_text(one.logged_in_at),
    }


def _stored(powers: Powers) -> dict[str, str]:
    return {
        "roles": " ".join(sorted(powers.roles)),
        "rights": " ".join(sorted(powers.more)),
        "region": powers.region,
    }

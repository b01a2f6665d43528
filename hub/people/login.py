"""Logging in: step by step from a name and a password to an open session, with a new token at every step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from hub.ledger import attempts, journal, people, sessions
from hub.ledger.credentials import Holder
from hub.ledger.engine import Ledger
from hub.ledger.people import Person
from hub.ledger.sessions import Session, Stage
from hub.people import factor, passwords
from hub.settings import People
from hub.vault import Seal
from standards.clock import Clock, local_text
from standards.errors import HubError, NotAllowed

#: What is not open yet is finished within this.
_UNFINISHED = timedelta(minutes=20)
_UNKNOWN = "unknown"


class WrongLogin(HubError):
    """Name, password or code is wrong: which of them is not said."""

    code = "wrong-login"
    status = 401
    title_zh = "登录失败"
    title = "log-in failed"


class LockedOut(WrongLogin):
    """Too many failures: this name must wait."""

    code = "locked-out"
    status = 429


@dataclass(frozen=True, slots=True)
class Where:
    """Where somebody logs in from."""

    address: str = ""
    agent: str = ""

    def values(self) -> dict[str, str]:
        """As a session keeps it."""
        return {"address": self.address[:64], "agent": self.agent[:120]}


@dataclass(frozen=True, slots=True)
class Entered:
    """A session that began; its token is told once."""

    token: str
    stage: Stage
    party: str
    ends_at: datetime


def stage_of(one: Person, rules: People, now: datetime, *, code: bool, by_password: bool = True) -> Stage:
    """What is missing still; `code`: the second factor was shown."""
    if one.has_factor and not code:
        return Stage.CODE
    days = timedelta(days=rules.password_days)
    old = bool(days) and one.password_at is not None and one.password_at + days <= now
    if by_password and (one.must_change or old):
        return Stage.CHANGE
    if one.roles & set(rules.second_factor) and not one.has_factor:
        return Stage.ENROL
    return Stage.OPEN


@dataclass(slots=True)
class Login:
    """The way in of one hub."""

    ledger: Ledger
    clock: Clock
    seal: Seal
    rules: People

    def by_password(self, name: str, password: str, where: Where) -> Entered:
        """A first session.  Raises WrongLogin, LockedOut, SystemBusy.

        Takes as long for a name that nobody has, and tells the same.
        """
        name = name.strip().lower()[:200]
        one = self._attempt(name)
        good = passwords.fits(one.password if one is not None else "", password)
        if one is None or not good or not one.active:
            raise self._failed(one)
        # Reckoned by older parameters: now that the password is at hand, by today's.
        again = passwords.hashed(password) if passwords.outdated(one.password) else ""
        now = self.clock.now()
        stage = stage_of(one, self.rules, now, code=False)

        def work(connection: Connection) -> Entered:
            if again:
                people.change(connection, one.name, password=again)
            if stage is Stage.CODE:
                attempts.take_back(connection, name)
            else:
                attempts.forget(connection, name)
            return self._enter(connection, one, stage, "password", where, now)

        return self.ledger.write(work)

    def by_key(self, holder: Holder, where: Where) -> Entered:
        """A session of a unit, by its key; it ends with the key.  Raises NotAllowed."""
        if not self.rules.keys_may_log_in:
            raise NotAllowed(
                "keys do not open the pages here",
                what_zh="本枢纽不允许用密钥登录页面",
                hint="log in with your own name",
                hint_zh="请使用个人账号登录",
            )
        now = self.clock.now()
        ends = now + self.rules.longest

        def work(connection: Connection) -> Entered:
            token = sessions.begin(connection, Stage.OPEN, now, ends, credential=holder.id, way="key", **where.values())
            self._note(connection, "logged_in", holder.id, now, way="key")
            return Entered(token, Stage.OPEN, holder.party, ends)

        return self.ledger.write(work)

    def by_provider(self, name: str, where: Where) -> Entered:
        """A session of whom the identity provider vouches for.  Raises WrongLogin."""
        with self.ledger.read() as connection:
            one = people.find(connection, name.strip().lower()[:200])
        if one is None or not one.active:
            raise self._failed(one)
        now = self.clock.now()
        stage = stage_of(one, self.rules, now, code=False, by_password=False)
        return self.ledger.write(lambda c: self._enter(c, one, stage, "oidc", where, now))

    def away(self, detail: str, where: Where) -> str:
        """Somebody goes to the identity provider; the token that they must bring back."""
        now = self.clock.now()
        return self.ledger.write(
            lambda c: sessions.begin(c, Stage.AWAY, now, now + _UNFINISHED, detail=detail, **where.values())
        )

    def back(self, token: str) -> str:
        """Who comes back from the identity provider, once: what was remembered.  Raises WrongLogin."""
        now = self.clock.now()

        def work(connection: Connection) -> str | None:
            found = sessions.find(connection, token, now, _UNFINISHED)
            if found is None or found.stage is not Stage.AWAY:
                return None
            return found.detail if sessions.end(connection, now, hashed=found.hash) else None

        detail = self.ledger.write(work)
        if detail is None:
            raise WrongLogin("the log-in took too long, or began elsewhere", what_zh="登录已超时，请重新开始")
        return detail

    def by_code(self, session: Session, code: str, where: Where) -> Entered:
        """The second factor: a code of the authenticator, or a recovery code.  Raises WrongLogin, LockedOut."""
        one = self._attempt(session.person)
        now = self.clock.now()
        if one is None or not one.active or not self._code_fits(one, code.strip(), now):
            raise self._failed(one)
        stage = stage_of(one, self.rules, now, code=True, by_password=session.way.startswith("password"))

        def work(connection: Connection) -> Entered:
            attempts.forget(connection, one.name)
            return self._enter(connection, one, stage, f"{session.way}+code", where, now, session)

        return self.ledger.write(work)

    def change_password(self, session: Session, old: str, new: str, where: Where) -> Entered:
        """Another password; a session that is open already asks for the old one.  Raises WrongLogin, BadPassword."""
        with self.ledger.read() as connection:
            one = people.find(connection, session.person)
        if one is None or not one.active:
            raise self._failed(one)
        if session.stage is Stage.OPEN:
            self._attempt(one.name)
            if not passwords.fits(one.password, old):
                raise self._failed(one)
        passwords.judge(new, one.name, one.title, self.rules)
        if passwords.fits(one.password, new):
            raise passwords.BadPassword("it is the old one", what_zh="新密码不能与原密码相同")
        stored = passwords.hashed(new)
        now = self.clock.now()

        def work(connection: Connection) -> Entered:
            people.change(connection, one.name, password=stored, password_at=now, must_change=False)
            people.end_sessions(connection, one.name, now)
            attempts.forget(connection, one.name)
            self._note(connection, "password_changed", one.id, now)
            changed = people.find(connection, one.name)
            assert changed is not None
            stage = stage_of(changed, self.rules, now, code=True)
            return self._enter(connection, changed, stage, session.way, where, now, session)

        return self.ledger.write(work)

    def new_factor(self, session: Session) -> tuple[Person, str]:
        """The secret for somebody's authenticator, the same until it is confirmed.  Raises NotAllowed."""
        fresh = factor.new_secret()

        def work(connection: Connection) -> tuple[Person, str]:
            one = people.find(connection, session.person)
            if one is None or one.has_factor:
                raise NotAllowed(
                    "there is a second factor already",
                    what_zh="已设置二次验证",
                    hint="an administrator takes it away: hub user reset --factor",
                    hint_zh="如需重设，请联系管理员（hub user reset --factor）",
                )
            if one.secret is not None:
                return one, self._secret(one)
            closed = self.seal.close(fresh.encode("ascii"))
            people.change(connection, one.name, secret=closed, secret_key_ref=self.seal.key_ref)
            return one, fresh

        return self.ledger.write(work)

    def confirm_factor(self, session: Session, code: str, where: Where) -> tuple[Entered, list[str]]:
        """The authenticator works; recovery codes, which are told once.  Raises WrongLogin."""
        one = self._attempt(session.person)
        now = self.clock.now()
        step = factor.step_of(self._secret(one), code, now) if one is not None and one.secret is not None else None
        if one is None or one.has_factor or step is None:
            raise self._failed(one)
        codes = factor.recovery_codes()

        def work(connection: Connection) -> Entered:
            people.change(connection, one.name, secret_at=now, last_step=step)
            people.put_codes(connection, one.name, codes)
            people.end_sessions(connection, one.name, now)
            attempts.forget(connection, one.name)
            self._note(connection, "factor_set", one.id, now)
            confirmed = people.find(connection, one.name)
            assert confirmed is not None
            stage = stage_of(confirmed, self.rules, now, code=True, by_password=session.way.startswith("password"))
            return self._enter(connection, confirmed, stage, f"{session.way}+code", where, now, session)

        return self.ledger.write(work), codes

    def leave(self, session: Session) -> None:
        """A session ends, by who has it."""
        now = self.clock.now()

        def work(connection: Connection) -> None:
            if sessions.end(connection, now, hashed=session.hash):
                actor = people.PREFIX + session.person if session.person else session.credential
                self._note(connection, "logged_out", actor, now, session=session.id)

        self.ledger.write(work)

    # Inside

    def _attempt(self, name: str) -> Person | None:
        """Count an attempt, and who has this name.  Raises LockedOut."""
        now, rules = self.clock.now(), self.rules

        def work(connection: Connection) -> tuple[datetime | None, Person | None]:
            until = attempts.begin(connection, name, now, rules.lock_after, rules.lock_first, rules.lock_longest)
            return until, people.find(connection, name)

        until, one = self.ledger.write(work)
        if until is not None:
            raise LockedOut(
                f"too many failures: not before {local_text(until)}",
                what_zh=f"失败次数过多，请于 {local_text(until)} 后再试",
                hint="an administrator can end the wait: hub user reset",
                hint_zh="管理员可重置密码解除等待（hub user reset）",
            )
        return one

    def _failed(self, one: Person | None) -> WrongLogin:
        """What is raised; that somebody tried is written down, what was typed is not."""
        now = self.clock.now()
        self.ledger.write(lambda c: self._note(c, "login_failed", one.id if one is not None else _UNKNOWN, now))
        return WrongLogin("name, password or code is wrong", what_zh="用户名、密码或验证码不正确")

    def _secret(self, one: Person) -> str:
        return self.seal.open(one.secret or b"", one.secret_key_ref).decode("ascii")

    def _code_fits(self, one: Person, code: str, now: datetime) -> bool:
        if one.has_factor and (step := factor.step_of(self._secret(one), code, now)) is not None:
            return self.ledger.write(lambda c: people.take_step(c, one.name, step))

        def recover(connection: Connection) -> bool:
            good = people.use_code(connection, one.name, code.lower(), now)
            if good:
                self._note(connection, "recovery_code_used", one.id, now)
            return good

        return one.has_factor and self.ledger.write(recover)

    def _enter(
        self,
        connection: Connection,
        one: Person,
        stage: Stage,
        way: str,
        where: Where,
        now: datetime,
        before: Session | None = None,
    ) -> Entered:
        """A new session instead of the one before: who had planted a token gets nothing by it."""
        if before is not None:
            sessions.end(connection, now, hashed=before.hash)
        ends = now + (self.rules.longest if stage is Stage.OPEN else _UNFINISHED)
        token = sessions.begin(connection, stage, now, ends, person=one.name, way=way[:40], **where.values())
        if stage is Stage.OPEN:
            people.change(connection, one.name, logged_in_at=now)
            self._note(connection, "logged_in", one.id, now, way=way)
        return Entered(token, stage, one.party, ends)

    @staticmethod
    def _note(connection: Connection, action: str, actor: str, now: datetime, **detail: Any) -> None:
        journal.append(connection, [journal.Entry(action, actor, detail=detail)], now)

"""People: who may have which rights, how they log in, when they must wait, and what ends a session."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from hub.ledger import attempts, people, sessions
from hub.ledger.credentials import Holder
from hub.ledger.engine import Ledger
from hub.ledger.sessions import Stage
from hub.ledger.tables import journal, person, session
from hub.people import factor, passwords
from hub.people.desk import BadAccount, PeopleDesk, Powers, within
from hub.people.login import LockedOut, Login, Where, WrongLogin
from hub.people.passwords import BadPassword
from hub.settings import People
from hub.vault import seal_of
from standards.clock import FrozenClock
from standards.errors import NotAllowed, UnknownName
from standards.rights import ROLES, Right, Role, faults
from tests.hub.conftest import POSTGRESQL, SQLITE, _migrated
from tests.services.postgres import Databases

#: As much work as a test can wait for.
QUICK = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
MACHINE = Holder("key", "", frozenset())
GOOD = "Tiger-7-Lantern"
BETTER = "Willow-9-Harbour"


class _Now:
    """Settings as the desk asks for them."""

    def __init__(self) -> None:
        hub = SimpleNamespace(region="140200")
        self.settings = SimpleNamespace(hub=hub, parties={"ecology": object(), "market": object()})

    def current(self) -> _Now:
        return self


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    passwords._nobodys.cache_clear()
    monkeypatch.setattr(passwords, "_HASHER", QUICK)
    yield
    passwords._nobodys.cache_clear()


@dataclass
class Office:
    """A desk and a way in, on a ledger."""

    ledger: Ledger
    clock: FrozenClock
    login: Login
    desk: PeopleDesk

    def add(self, name: str = "zhang.san", party: str = "", *roles: Role, **powers: Any) -> str:
        return self.desk.add(MACHINE, name, "张三丰", party, Powers(roles=frozenset(roles), **powers))

    def ready(self, name: str = "zhang.san", party: str = "", *roles: Role) -> None:
        """Somebody whose first log-in is behind them."""
        entered = self.login.by_password(name, self.add(name, party, *roles), Where())
        self.login.change_password(self.session(entered.token), "", GOOD, Where())

    def session(self, token: str) -> sessions.Session:
        found = self.found(token)
        assert found is not None
        return found

    def found(self, token: str) -> sessions.Session | None:
        with self.ledger.read() as connection:
            return sessions.find(connection, token, self.clock.now(), self.login.rules.idle)

    def person(self, name: str = "zhang.san") -> people.Person:
        with self.ledger.read() as connection:
            found = people.find(connection, name)
        assert found is not None
        return found

    def actions(self) -> list[tuple[str, str]]:
        with self.ledger.read() as connection:
            return [tuple(row) for row in connection.execute(select(journal.c.action, journal.c.actor))]


@pytest.fixture(params=[SQLITE, POSTGRESQL])
def ledger_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    databases: Databases = request.getfixturevalue("postgres")
    url = databases.create(template=databases.template("ledger", _migrated))
    yield url
    databases.drop(url)


@pytest.fixture
def office(ledger: Ledger, clock: FrozenClock) -> Office:
    seal = seal_of("00112233445566778899aabbccddeeff")
    login = Login(ledger, clock, seal, People(second_factor=(Role.SECURITY_ADMIN,)))
    return Office(ledger, clock, login, PeopleDesk(ledger, _Now(), clock))  # type: ignore[arg-type]


# Rights


@pytest.mark.parametrize(
    ("roles", "more", "of_party", "good"),
    [
        ({Role.SYSTEM_ADMIN}, set(), False, True),
        ({Role.SYSTEM_ADMIN, Role.OPERATOR}, set(), False, True),
        ({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN}, set(), False, False),
        ({Role.SECURITY_ADMIN, Role.AUDIT_ADMIN}, set(), False, False),
        ({Role.SYSTEM_ADMIN}, {Right.AUDIT}, False, False),
        ({Role.OPERATOR}, {Right.PEOPLE, Right.SETTINGS}, False, False),
        ({Role.OPERATOR}, {Right.BODIES, Right.UNMASK, Right.REPAIR}, False, True),
        ({Role.DEPARTMENT_ADMIN}, set(), True, True),
        ({Role.DEPARTMENT_ADMIN}, set(), False, False),
        ({Role.OPERATOR}, set(), True, False),
        ({Role.SENDER}, {Right.REPAIR}, True, False),
        ({Role.SENDER}, {Right.UNMASK}, True, True),
        ({Role.VIEWER}, set(), False, True),
        (set(), set(), False, True),
    ],
)
def test_nobody_is_two_administrators_or_what_their_side_cannot_be(
    roles: set[Role], more: set[Right], of_party: bool, good: bool
) -> None:
    assert (faults(roles, more, of_party=of_party) == []) is good


def test_bodies_replay_and_repair_are_separate_rights_of_an_operator() -> None:
    assert ROLES[Role.OPERATOR] & {Right.BODIES, Right.UNMASK, Right.REPAIR} == set()


@pytest.mark.parametrize(
    ("region", "above", "inside"),
    [
        ("140211", "140200", True),
        ("140200", "140200", True),
        ("140300", "140200", False),
        ("140211", "140000", True),
        ("140211", "140211", True),
        ("140212", "140211", False),
    ],
)
def test_a_region_lies_within_those_whose_code_it_begins_with(region: str, above: str, inside: bool) -> None:
    assert within(region, above) is inside


def test_nobody_changes_their_own_account_and_a_party_only_its_own_people(office: Office) -> None:
    office.add("security", "", Role.SECURITY_ADMIN)
    office.add("bureau", "ecology", Role.DEPARTMENT_ADMIN)
    office.add("clerk", "ecology", Role.SENDER)
    office.add("stranger", "market", Role.SENDER)
    security = Holder("user:security", "", frozenset(ROLES[Role.SECURITY_ADMIN]), "安全", "security")
    bureau = Holder("user:bureau", "ecology", frozenset(ROLES[Role.DEPARTMENT_ADMIN]), "部门", "bureau")
    sender, unmask = Powers(roles=frozenset({Role.SENDER})), frozenset({Right.UNMASK})

    for wrong in (
        lambda: office.desk.empower(security, "security", Powers(roles=frozenset({Role.AUDIT_ADMIN}))),
        lambda: office.desk.set_active(security, "security", active=False),
        lambda: office.desk.reset(bureau, "bureau"),
        lambda: office.desk.add(bureau, "other", "李四光", "market", sender),
        lambda: office.desk.add(bureau, "other", "李四光", "", sender),
        lambda: office.desk.empower(bureau, "clerk", replace(sender, more=unmask)),
    ):
        with pytest.raises(NotAllowed):
            wrong()
    with pytest.raises(UnknownName):
        office.desk.reset(bureau, "stranger")
    with pytest.raises(BadAccount):
        office.desk.add(bureau, "other", "李四光", "ecology", Powers(roles=frozenset({Role.OPERATOR})))

    office.desk.empower(security, "clerk", replace(sender, more=unmask))
    office.desk.empower(bureau, "clerk", replace(sender, more=unmask))
    assert Right.UNMASK in office.person("clerk").rights, "what was given by others stays"
    assert {one["name"] for one in office.desk.listed(bureau)} == {"bureau", "clerk"}
    with pytest.raises(BadAccount):
        office.desk.add(security, "clerk", "王五一", "market", sender)


def test_a_region_administrator_has_a_region_within_the_hub(office: Office) -> None:
    for region in ("", "140300"):
        with pytest.raises(BadAccount):
            office.add("regional", "", Role.REGION_ADMIN, region=region)
    office.add("regional", "", Role.REGION_ADMIN, region="140211")


# Passwords


@pytest.mark.parametrize(
    "password",
    [
        "Short-1",
        "alllettersandlong",
        "Zhang.San-2026",
        "张三丰-Tiger-77",
        "Password2026!",
        "P@ssw0rd!!2026",
        "Admin@123456",
        "Qwertyuiop-123",
        "1qaz2wsx3EDC!!",
        "Abcdefghijk1!",
        "Aa1!Aa1!Aa1!",
        "AAAAbbbb1111",
    ],
)
def test_a_password_that_is_easily_guessed_is_refused(password: str) -> None:
    with pytest.raises(BadPassword):
        passwords.judge(password, "zhang.san", "张三丰", People())


@pytest.mark.parametrize("password", [GOOD, BETTER, "马踏飞燕-Gansu-1969出土", "x7#Kd02_pqLm"])
def test_a_good_password_is_taken(password: str) -> None:
    passwords.judge(password, "zhang.san", "张三丰", People())


def test_a_password_to_begin_with_keeps_the_rules() -> None:
    made = {passwords.initial() for _ in range(50)}

    assert len(made) == 50
    for one in made:
        passwords.judge(one, "zhang.san", "张三丰", People())


# Logging in


def test_the_first_log_in_changes_the_password_and_then_everything_is_open(office: Office) -> None:
    first = office.add("zhang.san", "", Role.OPERATOR)

    entered = office.login.by_password("Zhang.San ", first, Where("10.0.0.1", "browser"))

    assert entered.stage is Stage.CHANGE
    early = office.session(entered.token)
    with pytest.raises(BadPassword):
        office.login.change_password(early, "", first, Where())
    opened = office.login.change_password(early, "", GOOD, Where())
    assert opened.stage is Stage.OPEN
    assert opened.token != entered.token
    assert office.found(entered.token) is None, "the token of before counts no more"
    assert office.login.by_password("zhang.san", GOOD, Where()).stage is Stage.OPEN
    with pytest.raises(WrongLogin):
        office.login.by_password("zhang.san", first, Where())
    assert ("logged_in", "user:zhang.san") in office.actions()


def test_neither_password_nor_secret_nor_token_stands_in_the_ledger(office: Office) -> None:
    office.ready()
    entered = office.login.by_password("zhang.san", GOOD, Where())
    _, secret = office.login.new_factor(office.session(entered.token))

    with office.ledger.read() as connection:
        kept = [repr(row) for table in (person, session, journal) for row in connection.execute(select(table))]

    assert not [row for row in kept if GOOD in row or secret in row or entered.token in row]


def test_wrong_passwords_make_a_name_wait_longer_and_longer_whether_it_exists_or_not(office: Office) -> None:
    office.ready()
    told: dict[str, list[str]] = {}

    for name in ("zhang.san", "nobody"):
        for _ in range(5):
            with pytest.raises(WrongLogin) as wrong:
                office.login.by_password(name, "wrong", Where())
            told.setdefault(name, []).append(f"{type(wrong.value).__name__} {wrong.value.what_zh}")
        for minutes in (1, 2, 4):
            with pytest.raises(LockedOut) as locked:
                office.login.by_password(name, GOOD, Where())
            told[name].append(str(locked.value.status))
            office.clock.forward(timedelta(minutes=minutes))
            with pytest.raises(WrongLogin) as wrong:
                office.login.by_password(name, "wrong", Where())
            assert not isinstance(wrong.value, LockedOut), "after the wait it may be tried again"
        office.clock.forward(timedelta(minutes=8))

    assert told["zhang.san"] == told["nobody"]
    assert office.login.by_password("zhang.san", GOOD, Where()).stage is Stage.OPEN
    assert ("login_failed", "user:zhang.san") in office.actions()
    assert ("login_failed", "unknown") in office.actions()


def test_waits_grow_up_to_the_longest() -> None:
    first, longest = timedelta(minutes=1), timedelta(hours=1)

    waits = [attempts.wait_of(n, 5, first, longest) // first for n in (0, 4, 5, 6, 7, 10, 11, 500)]

    assert waits == [0, 0, 1, 2, 4, 32, 60, 60]


def test_a_name_that_nobody_has_takes_as_long_as_one_that_somebody_has(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.ready()
    reckoned: list[str] = []

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            reckoned.append(stored[:20])
            return QUICK.verify(stored, password)

        hash, check_needs_rehash = QUICK.hash, QUICK.check_needs_rehash

    passwords.fits("", "warm up")
    monkeypatch.setattr(passwords, "_HASHER", Counting())
    for name in ("zhang.san", "nobody"):
        with pytest.raises(WrongLogin):
            office.login.by_password(name, "wrong", Where())

    assert len(reckoned) == 2
    assert len(set(reckoned)) == 1, "by the same parameters"


def test_who_is_disabled_is_out_at_once_and_not_in_again(office: Office) -> None:
    office.ready()
    token = office.login.by_password("zhang.san", GOOD, Where()).token

    office.desk.set_active(MACHINE, "zhang.san", active=False, reason="left")

    assert office.found(token) is None
    with pytest.raises(WrongLogin):
        office.login.by_password("zhang.san", GOOD, Where())
    office.desk.set_active(MACHINE, "zhang.san", active=True)
    assert office.login.by_password("zhang.san", GOOD, Where()).stage is Stage.OPEN


def test_other_roles_end_the_sessions(office: Office) -> None:
    office.ready()
    token = office.login.by_password("zhang.san", GOOD, Where()).token

    office.desk.empower(MACHINE, "zhang.san", Powers(roles=frozenset({Role.VIEWER})))

    assert office.found(token) is None


def test_a_session_ends_when_it_is_idle_and_in_any_case_after_its_longest_time(office: Office) -> None:
    office.ready()
    idle = office.login.by_password("zhang.san", GOOD, Where()).token
    used = office.login.by_password("zhang.san", GOOD, Where()).token
    for _ in range(35):
        office.clock.forward(timedelta(minutes=20))
        digest = sessions.digest(used)
        office.ledger.write(lambda c, digest=digest: sessions.touch(c, [digest], office.clock.now()))
        office.session(used)
    assert office.found(idle) is None

    office.clock.forward(timedelta(minutes=21))

    assert office.found(used) is None, "twelve hours are over"


def test_a_password_that_grew_old_is_changed_at_the_log_in(office: Office) -> None:
    office.ready()
    office.clock.forward(timedelta(days=90))

    entered = office.login.by_password("zhang.san", GOOD, Where())

    assert entered.stage is Stage.CHANGE
    assert office.login.change_password(office.session(entered.token), "", BETTER, Where()).stage is Stage.OPEN


def test_an_open_session_changes_the_password_only_with_the_old_one(office: Office) -> None:
    office.ready()
    entered = office.login.by_password("zhang.san", GOOD, Where())
    other = office.login.by_password("zhang.san", GOOD, Where())

    with pytest.raises(WrongLogin):
        office.login.change_password(office.session(entered.token), "wrong", BETTER, Where())
    changed = office.login.change_password(office.session(entered.token), GOOD, BETTER, Where())

    assert office.found(other.token) is None, "the other sessions end"
    assert office.session(changed.token)


# The second factor


def enrolled(office: Office) -> tuple[str, list[str]]:
    """Somebody who must have a second factor, and has; its secret and the recovery codes."""
    office.ready("zhang.san", "", Role.SECURITY_ADMIN)
    entered = office.login.by_password("zhang.san", GOOD, Where())
    assert entered.stage is Stage.ENROL
    _, secret = office.login.new_factor(office.session(entered.token))
    assert office.login.new_factor(office.session(entered.token))[1] == secret, "the same until it is confirmed"
    opened, codes = office.login.confirm_factor(
        office.session(entered.token), factor.code_at(secret, office.clock.now()), Where()
    )
    assert opened.stage is Stage.OPEN
    return secret, codes


def test_a_code_counts_once_and_only_near_its_time(office: Office) -> None:
    secret, _ = enrolled(office)
    entered = office.login.by_password("zhang.san", GOOD, Where())
    assert entered.stage is Stage.CODE
    step = office.session(entered.token)
    used = factor.code_at(secret, office.clock.now())
    with pytest.raises(WrongLogin):
        office.login.by_code(step, used, Where())
    office.clock.forward(timedelta(seconds=30))
    code = factor.code_at(secret, office.clock.now())
    with pytest.raises(WrongLogin):
        office.login.by_code(step, factor.code_at(secret, office.clock.now() + timedelta(minutes=5)), Where())

    opened = office.login.by_code(step, code, Where())

    assert opened.stage is Stage.OPEN
    again = office.session(office.login.by_password("zhang.san", GOOD, Where()).token)
    with pytest.raises(WrongLogin):
        office.login.by_code(again, code, Where())


def test_a_recovery_code_opens_once(office: Office) -> None:
    _, codes = enrolled(office)
    assert len(codes) == 10
    first = office.session(office.login.by_password("zhang.san", GOOD, Where()).token)

    assert office.login.by_code(first, codes[3].upper(), Where()).stage is Stage.OPEN

    second = office.session(office.login.by_password("zhang.san", GOOD, Where()).token)
    with pytest.raises(WrongLogin):
        office.login.by_code(second, codes[3], Where())
    with office.ledger.read() as connection:
        assert people.codes_left(connection, "zhang.san") == 9


def test_who_knows_the_password_cannot_go_on_guessing_codes(office: Office) -> None:
    """The right password between two guesses does not begin the count anew."""
    secret, _ = enrolled(office)
    around = {factor.code_at(secret, office.clock.now() + timedelta(seconds=30 * n)) for n in (-1, 0, 1)}
    wrong_code = next(code for code in ("000000", "111111", "222222", "333333") if code not in around)
    for _ in range(5):
        step = office.session(office.login.by_password("zhang.san", GOOD, Where()).token)
        with pytest.raises(WrongLogin):
            office.login.by_code(step, wrong_code, Where())

    with pytest.raises(LockedOut):
        office.login.by_password("zhang.san", GOOD, Where())
    with pytest.raises(LockedOut):
        office.login.by_code(step, factor.code_at(secret, office.clock.now()), Where())


def test_a_second_factor_is_taken_away_by_an_administrator_only(office: Office) -> None:
    secret, _ = enrolled(office)
    office.clock.forward(timedelta(minutes=1))
    step = office.session(office.login.by_password("zhang.san", GOOD, Where()).token)
    opened = office.login.by_code(step, factor.code_at(secret, office.clock.now()), Where())
    with pytest.raises(NotAllowed):
        office.login.new_factor(office.session(opened.token))

    password = office.desk.reset(MACHINE, "zhang.san", factor=True)

    assert office.found(opened.token) is None
    entered = office.login.by_password("zhang.san", password, Where())
    assert entered.stage is Stage.CHANGE
    changed = office.login.change_password(office.session(entered.token), "", BETTER, Where())
    assert changed.stage is Stage.ENROL


def test_the_picture_says_the_secret_and_asks_for_nothing_from_elsewhere() -> None:
    picture = factor.picture(factor.address("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "zhang.san", "大同枢纽"))

    assert picture.startswith("<svg")
    assert "http" not in picture
    assert "style" not in picture

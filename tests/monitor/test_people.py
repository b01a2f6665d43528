"""People on the pages: they log in step by step, see what their rights open, and every look is written down."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey
from sqlalchemy import select

from hub import serve
from hub.bootstrap import Hub, prepare
from hub.ledger.tables import journal
from hub.people import factor
from standards.rights import Right, Role
from tests.hub.city import config, until
from tests.hub.people import a_person, a_session
from tests.hub.tasks.test_journeys import MORE, Province, complaint
from tests.monitor.provider import CLIENT, SECRET, Provider
from tests.receiver import Receiver

NEW = "Willow-9-Harbour"
EXTRA = """
[parties.village]
title = "云冈区市场监督管理局"
code = "11140214MB1C22222J"
region = "140214"

[connections.village-checks]
party = "village"
dataset = "check_action"

[people]
second_factor = ["security_admin"]

[people.oidc]
issuer = "{issuer}"
client_id = "{client}"
secret = "env:TEST_OIDC_SECRET"
"""


@dataclass
class Town(Province):
    """A running city and an identity provider."""

    provider: Provider

    def __init__(self, running: serve.Running, receiver: Receiver, provider: Provider) -> None:
        super().__init__(running, receiver)
        self.provider = provider

    @property
    def hub(self) -> Hub:
        return self.running.hub

    def browser(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.running.address, follow_redirects=True, timeout=30)

    def visitor(self, name: str, **words: Any) -> httpx2.Client:
        """Somebody who is logged in."""
        client = self.browser()
        a_person(self.hub, name, **words)
        client.cookies.set("hub_session", a_session(self.hub, name))
        return client

    def journal(self, actor: str, action: str) -> list[dict[str, Any]]:
        statement = select(journal.c.detail).where(journal.c.actor == actor, journal.c.action == action)
        with self.hub.ledger.read() as connection:
            return [json.loads(row[0]) for row in connection.execute(statement.order_by(journal.c.id))]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    receiver, provider = Receiver().start(), Provider()
    path = tmp_path_factory.mktemp("town") / "hub.toml"
    more = MORE + EXTRA.format(issuer=provider.issuer, client=CLIENT)
    path.write_text(config(receiver.url, more=more), "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEST_OIDC_SECRET", SECRET)
        running = serve.start(*prepare(path))
        yield Town(running, receiver, provider)
        running.stop()
    provider.stop()
    receiver.stop()


def send(client: httpx2.Client, path: str, page: str, **words: str) -> httpx2.Response:
    found = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert found, page[:500]
    return client.post(path, data={"token": found[1], **words})


def test_a_new_security_administrator_comes_in_by_password_and_second_factor(
    town: Town, capfd: pytest.CaptureFixture[str]
) -> None:
    body = {"name": "an.quan", "title": "安全管理员甲", "roles": ["security_admin"]}
    first = town.client("").post("/v1/users", json=body).json()["password"]
    client = town.browser()
    wanted = client.get("/console/people")
    assert "to=/console/people" in str(wanted.url).replace("%2F", "/")
    assert "an.quan" not in wanted.text

    page = client.post(str(wanted.url), data={"name": "an.quan", "password": first})
    assert "修改密码" in page.text
    assert "<nav" not in page.text, "nothing is open yet"
    assert "修改密码" in client.get("/console/cases").text
    weak = send(client, "/console/password", page.text, new="an.quan", again="an.quan")
    assert weak.status_code == 422
    assert "至少 12 个字符" in weak.text
    page = send(client, "/console/password", page.text, new=NEW, again=NEW)
    assert "<svg" in page.text
    letters = re.search(r"<code>([A-Z2-7 ]+)</code>", page.text)
    assert letters
    code = factor.code_at(letters[1].replace(" ", ""), town.hub.clock.now())
    codes = send(client, "/console/factor", page.text, code=code)
    assert len(re.findall(r"<li><code>", codes.text)) == 10
    assert "an.quan" in client.get("/console/people").text

    again = town.browser()
    page = again.post("/console/login", data={"name": "an.quan", "password": NEW})
    assert "二次验证" in page.text
    assert send(again, "/console/code", page.text, code="000000").status_code == 401
    recovery = re.findall(r"<li><code>([^<]+)", codes.text)[0]
    page = send(again, "/console/code", page.text, code=recovery)
    assert "安全管理员甲" in page.text

    listed = again.get("/console/me")
    (other,) = re.findall(r'name="session" value="([0-9a-f]+)"', listed.text)
    send(again, "/console/me", listed.text, session=other)
    assert 'name="password"' in client.get("/console/people").text, "the other session ended at once"
    held = again.cookies.get("hub_session")
    send(again, "/console/logout", again.get("/console/").text)
    thief = town.browser()
    thief.cookies.set("hub_session", held or "")
    assert 'name="password"' in thief.get("/console/").text, "logged out is out, at once"
    said = "".join(capfd.readouterr())
    assert not [word for word in (first, NEW, letters[1].replace(" ", ""), recovery, held) if word and word in said]


def test_the_cookie_is_for_no_script_and_no_other_site_and_a_planted_one_gets_nothing(town: Town) -> None:
    password = (
        town.client("")
        .post("/v1/users", json={"name": "li.si", "title": "李四光", "roles": ["viewer"]})
        .json()["password"]
    )
    client = httpx2.Client(base_url=town.running.address)
    client.cookies.set("hub_session", "hubs_planted")

    answer = client.post("/console/login", data={"name": "li.si", "password": password})

    (cookie,) = [one for one in answer.headers.get_list("set-cookie") if one.startswith("hub_session=")]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    assert "planted" not in cookie
    assert answer.status_code == 303
    assert answer.headers["location"] == "/console/password"
    cross = client.post("/console/login", data={"name": "x", "password": "y"}, headers={"sec-fetch-site": "cross-site"})
    assert cross.status_code == 403


@pytest.mark.parametrize("to", ["https://evil.example/", "//evil.example", "/sender/", "/console/\\evil", "/consolex"])
def test_after_the_log_in_one_goes_to_no_other_place(town: Town, to: str) -> None:
    key = town.client("").headers["authorization"].removeprefix("Bearer ")
    client = httpx2.Client(base_url=town.running.address)

    answer = client.post("/console/login", params={"to": to}, data={"key": key})

    assert answer.headers["location"] == "/console/"


def test_a_person_uses_the_interface_with_a_session_of_their_own(town: Town) -> None:
    password = (
        town.client("")
        .post("/v1/users", json={"name": "wang.wu", "title": "王五一", "roles": ["operator"]})
        .json()["password"]
    )
    api = httpx2.Client(base_url=town.running.address)
    early = api.post("/v1/sessions", json={"name": "wang.wu", "password": password})
    assert early.status_code == 401
    assert "修改密码" in early.json()["detail"]
    client = town.browser()
    page = client.post("/console/login", data={"name": "wang.wu", "password": password})
    send(client, "/console/password", page.text, new=NEW, again=NEW)

    token = api.post("/v1/sessions", json={"name": "wang.wu", "password": NEW}).json()["token"]

    api.headers["authorization"] = f"Bearer {token}"
    assert api.get("/v1/status").status_code == 200
    assert api.get("/v1/keys").status_code == 403
    assert len(api.get("/v1/sessions").json()) == 2
    town.client("").post("/v1/users/wang.wu/roles", json={"roles": ["viewer"]})
    assert api.get("/v1/status").status_code == 401, "other roles end the sessions"


def test_bodies_are_closed_and_personal_values_masked_without_the_right_and_each_look_is_written_down(
    town: Town,
) -> None:
    sent = complaint(number="C-77")
    personal = [n for n in town.hub.generations.current().standard.dataset("complaint_report").personal if sent.get(n)]
    assert personal, "the sample holds personal values"
    town.hand_down("from-above", sent)
    (one,) = [t for t in town.tasks("market") if t["number"] == "C-77"]
    masked = town.visitor("zhao.liu", party="market", roles=[Role.SENDER])
    full = town.visitor("sun.qi", party="market", roles=[Role.SENDER], more=[Right.UNMASK])
    path = f"/sender/tasks/{one['id']}"

    hidden, plain = masked.get(path), full.get(path)

    for name in personal:
        assert str(sent[name]) not in hidden.text, name
    assert str(sent[personal[0]]) in plain.text
    assert {"path": path, "right": "unmask"} in town.journal("user:sun.qi", "looked")
    until(lambda: {"path": path} in town.journal("user:zhao.liu", "looked"))
    assert not [d for d in town.journal("user:zhao.liu", "looked") if d.get("right")]
    for client, token in ((masked, False), (full, True)):
        api = httpx2.Client(
            base_url=town.running.address, headers={"authorization": f"Bearer {client.cookies['hub_session']}"}
        )
        record = api.get(f"/v1/tasks/{one['id']}").json()["record"]
        assert (record[personal[0]] == sent[personal[0]]) is token


def test_the_marked_workbook_needs_the_right_of_bodies_and_the_look_is_written_before(town: Town) -> None:
    said = town.client("market").post(
        "/v1/submissions?connection=market-penalties&wait=20&name=a.json", json=[{"set_date": "x"}]
    )
    receipt = said.json()["receipt_no"]
    viewer = town.visitor("viewer.one", party="market", roles=[Role.VIEWER])
    sender = town.visitor("sender.one", party="market", roles=[Role.SENDER])
    path = f"/sender/submissions/{receipt}/marked.xlsx"

    assert viewer.get(f"/sender/submissions/{receipt}").status_code == 200
    assert viewer.get(path).status_code == 403
    assert sender.get(path).status_code == 200

    assert town.journal("user:sender.one", "looked") == [{"path": path}, {"path": path, "right": "unmask"}]
    assert {"path": path} not in town.journal("user:viewer.one", "looked")
    key = town.client("market").get(f"/v1/receipts/{receipt}.xlsx")
    assert key.status_code == 200
    with town.hub.ledger.read() as connection:
        kept = connection.execute(select(journal.c.detail).where(journal.c.detail.contains(f"{receipt}.xlsx"))).all()
    assert kept, "a key's look too"


def test_a_region_administrator_sees_only_the_region(town: Town) -> None:
    for party, connection in (("market", "market-penalties"), ("village", "village-checks")):
        said = town.client(party).post(
            f"/v1/submissions?connection={connection}&wait=20&name=a.json", json=[{"wrong": "x"}]
        )
        assert said.json()["counts"]["rejected"] == 1
    client = town.visitor("qu.yu", roles=[Role.REGION_ADMIN], region="140214")

    page = client.get("/console/cases").text

    assert "云冈区市场监督管理局" in page or "village" in page
    assert "大同市市场监督管理局" not in page
    assert client.get("/console/").status_code == 200
    flows = client.get("/console/flows").text
    assert "flows/party/village" in flows
    assert "flows/party/market" not in flows
    assert "flows/to/" not in flows
    assert client.get("/console/alarms").status_code == 403
    api = httpx2.Client(
        base_url=town.running.address, headers={"authorization": f"Bearer {client.cookies['hub_session']}"}
    )
    assert {one["party"] for one in api.get("/v1/cases").json()} == {"village"}
    assert {one["party"] for one in api.get("/v1/submissions").json()} == {"village"}


def test_the_administrator_of_a_department_manages_its_people_and_keys_and_no_others(town: Town) -> None:
    town.visitor("other.market", party="market", roles=[Role.SENDER])
    admin = town.visitor("bu.men", party="ecology", roles=[Role.DEPARTMENT_ADMIN])

    page = admin.get("/sender/people")
    assert "bu.men" in page.text
    assert "other.market" not in page.text
    made = send(admin, "/sender/people", page.text, name="ke.yuan", title="科员甲", roles="sender")
    assert re.search(r"ke\.yuan：<code>\S{16}</code>", made.text)
    refused = send(admin, "/sender/people", page.text, name="gao.quan", title="高权甲", roles="operator")
    assert refused.status_code == 422
    assert "不能担任" in refused.text
    own = send(admin, "/sender/people/bu.men/roles", page.text, roles="sender")
    assert own.status_code == 403
    key = send(admin, "/sender/keys", page.text, note="系统")
    secret = re.search(r"<code>(hub_\S+)</code>", key.text)
    assert secret
    machine = httpx2.Client(base_url=town.running.address, headers={"authorization": f"Bearer {secret[1]}"})
    assert machine.get("/v1/submissions").status_code == 200
    assert machine.get("/v1/keys").status_code == 403, "no key makes keys"
    assert machine.get("/v1/mailbox").status_code == 403, "who may not see personal values gives no key that does"


def test_an_auditor_reads_who_did_and_looked_at_what_and_proves_the_journal(town: Town) -> None:
    seen = town.visitor("kan.guo", roles=[Role.VIEWER])
    seen.get("/console/submissions")
    until(lambda: town.journal("user:kan.guo", "looked") == [{"path": "/console/submissions"}])
    auditor = town.visitor("shen.ji", roles=[Role.AUDIT_ADMIN])

    page = auditor.get("/console/audit?actor=user:kan.guo&action=looked").text

    assert page.count("path=/console/submissions") == 1
    assert "user:shen.ji" not in page
    assert seen.get("/console/audit").status_code == 403
    assert "没有回执" in auditor.get("/console/audit?receipt_no=261123-000001-1").text
    send(auditor, "/console/audit", page)
    until(lambda: "完整" in auditor.get("/console/audit").text)
    older = re.search(r'href="(/console/audit\?[^"]*before=\d+)"', auditor.get("/console/audit").text)
    if older:
        assert auditor.get(older[1].replace("&amp;", "&")).status_code == 200


# The identity provider


@pytest.fixture
def provider(town: Town) -> Provider:
    held = town.provider
    held.claims, held.person, held.signing = {}, "", held.key
    return held


def test_whom_the_identity_provider_vouches_for_comes_in(town: Town, provider: Provider) -> None:
    a_person(town.hub, "tong.yi", party="ecology", roles=[Role.SENDER])
    provider.person = "tong.yi"
    client = town.browser()
    assert "单位统一认证" in client.get("/console/login").text

    page = client.get("/sender/oidc/start")

    assert "已登录" in page.text
    assert "测试tong.yi" in client.get("/sender/").text
    assert town.journal("user:tong.yi", "logged_in") == [{"way": "oidc"}]


@pytest.mark.parametrize(
    "claims",
    [
        {"preferred_username": "nobody.here"},
        {"nonce": "another"},
        {"aud": "another"},
        {"iss": "http://another"},
        {"exp": 1_700_000_000},
        {"preferred_username": ["tong.er"]},
    ],
    ids=lambda claims: str(next(iter(claims))),
)
def test_a_token_that_is_not_for_this_log_in_opens_nothing(
    town: Town, provider: Provider, claims: dict[str, Any]
) -> None:
    a_person(town.hub, "tong.er", roles=[Role.VIEWER])
    provider.person, provider.claims = "tong.er", claims
    client = town.browser()

    page = client.get("/console/oidc/start")

    assert page.status_code >= 400
    assert client.cookies.get("hub_session") is None


def test_a_token_that_somebody_else_signed_opens_nothing(town: Town, provider: Provider) -> None:
    a_person(town.hub, "tong.san", roles=[Role.VIEWER])
    provider.person, provider.signing = "tong.san", RSAKey.generate_key(2048, {"kid": "one"})

    assert town.browser().get("/console/oidc/start").status_code == 401


def test_a_way_back_counts_once_and_in_its_own_browser_only(town: Town, provider: Provider) -> None:
    a_person(town.hub, "tong.wu", roles=[Role.VIEWER])
    provider.person = "tong.wu"
    victim, attacker = town.browser(), httpx2.Client(base_url=town.running.address)
    away = attacker.get("/console/oidc/start").headers["location"]
    link = httpx2.get(away).headers["location"]

    assert victim.get(link).status_code == 401, "else one would be logged in as somebody else"
    assert attacker.get(link).status_code == 200
    assert attacker.get(link).status_code == 401


def test_keys_may_be_kept_off_the_pages(town: Town) -> None:
    generation = town.hub.generations.current()
    rules = generation.settings.people.model_copy(update={"keys_may_log_in": False})
    key = town.client("").headers["authorization"].removeprefix("Bearer ")
    with pytest.MonkeyPatch.context() as patch:
        login = town.hub.login()
        login.rules = rules
        patch.setattr(type(town.hub), "login", lambda _self: login)
        answer = town.browser().post("/console/login", data={"key": key})
    assert answer.status_code == 403
    assert "不允许用密钥登录" in answer.text

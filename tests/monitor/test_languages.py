"""Both languages are whole: no Chinese in the frame of an English page, no bare code words in that of a Chinese one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from uuid import UUID

import pytest
from fastapi.routing import APIRoute

from hub import serve
from hub.api.console import routers
from hub.bootstrap import prepare
from hub.ledger import replays
from monitor.console import texts
from standards.flows import flows
from standards.model import Library
from standards.registry import built_in
from standards.states import CaseClass, SubmissionState, Verdict
from tests.hub.cases.test_month import rows
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Province, complaint
from tests.hub.test_replay import penalties
from tests.monitor.test_console import EXTRA, Browser
from tests.receiver import Receiver

#: What a family of words must have one for: its head, and what may follow.
FAMILIES = {
    "state_": SubmissionState,
    "verdict_": Verdict,
    "class_": CaseClass,
    "level_": ("district", "city", "province", "nation"),
}
CJK = re.compile(r"[\u3400-\u9fff]+")
WORD = re.compile(r"(?<![\w/.@:-])[A-Za-z][a-z_]{3,}(?![\w/@:-])")
#: Names of things that have no other name in Chinese.
NAMES = {
    # Commands: hub alarms, hub people add …
    "alarms",
    "people",
    "Excel",
    "hub",
    "audit",
    "verify",
    "openssl",
    "dgst",
    "English",
    "JSON",
    "http",
    "console",
    "check",
    "calendars",
}


def test_no_word_is_written_twice_and_every_family_is_whole() -> None:
    assert sum(len(part) for part in texts._PARTS) == len(texts.TEXTS), "one module would hide the other's word"
    for head, members in FAMILIES.items():
        missing = [one for one in members if f"{head}{one}" not in texts.TEXTS]
        assert not missing, f"{head}: {missing}"


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A city whose settings are written in ASCII, so that whatever is Chinese comes from the pages or from the data."""
    receiver = Receiver().start()
    path = tmp_path_factory.mktemp("languages") / "hub.toml"
    path.write_text(CJK.sub("Xx", config(receiver.url, more=EXTRA)), "utf-8")
    running = serve.start(*prepare(path))
    town = Province(running, receiver)
    # Something of everything: rejected records, a dead destination, a task, a task of nobody, a period without reports.
    bad = rows("punish_action", 2, set_date="-")
    town.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=a.json", json=bad)
    town.client("ecology").post("/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(5))
    town.hand_down("from-above", complaint(), complaint("P-1", "11140200PBX1F1BY6T"))
    receiver.status = 503
    town.client("market").post(
        "/v1/submissions?connection=market-penalties&wait=20&name=c.json", json=rows("punish_action", 9)[8:]
    )
    running.hub.cases().expect()
    running.hub.standing.of("market")
    operator = Browser(town, "").log_in()
    until(lambda: "不可用" in operator.get(), 20)
    yield town
    running.stop()
    receiver.stop()


def addresses(city: Province, room: str) -> list[str]:
    """Every page of a room that has no part to fill in, and one of each that has."""
    found = []
    for where, router in routers():
        for route in router.routes:
            if where == room and isinstance(route, APIRoute) and "GET" in route.methods and "{" not in route.path:
                found.append(route.path.removeprefix("/"))
    hub = city.running.hub
    with hub.ledger.read() as connection:
        receipts = list(
            connection.exec_driver_sql("SELECT receipt_no FROM submission WHERE rejected > 0 AND party = 'market'")
        )
        tasks = list(connection.exec_driver_sql("SELECT id FROM task"))
        assert not replays.running(connection)
    assert receipts
    found += [f"submissions/{row[0]}" for row in receipts]
    found += [f"tasks/{UUID(str(row[0]))}" for row in tasks]
    assert tasks
    if room == "sender":
        found += ["entry/punish_action", "handbook?dataset=punish_action", f"submissions/{receipts[0][0]}/records/1"]
    return [one for one in dict.fromkeys(found) if not one.endswith((".css", ".svg", ".xlsx", "language", "handbook"))]


def said(page: str) -> list[str]:
    """What a page says, text by text, without what is marked as another language and what can be chosen."""
    body = re.sub(r"<(script|style|option|code|pre)\b.*?</\1>", " ", page, flags=re.DOTALL)
    body = re.sub(
        r'<(\w+)[^>]*\blang="(?:zh-CN|en)"(?![^>]*>\s*<head)[^>]*>.*?</\1>',
        " ",
        body.partition("<body>")[2],
        flags=re.DOTALL,
    )
    found = [html.unescape(one).strip() for one in re.findall(r">([^<]+)", body)]
    found += [html.unescape(one) for one in re.findall(r'(?:aria-label|title|placeholder|alt)="([^"]*)"', body)]
    return [one for one in found if one]


@pytest.fixture(scope="module")
def data(city: Province) -> str:
    """Everything that came from outside."""
    whole = [json.dumps(dict(one), ensure_ascii=False) for one in rows("punish_action", 9)]
    whole += [json.dumps(complaint(), ensure_ascii=False), penalties(5).decode("gb18030", "replace")]
    # How a date may be written; what a receiver answered when it failed; names of a file and of keys.
    whole += ["年 月 日", "返回状态码", "down", "commands local test"]
    return "\n".join(whole)


def coded() -> str:
    """Names of codes, lists and libraries, which the standard has in Chinese only, and notes of its elements."""
    standard = built_in()
    lists = {element.list for dataset in standard for element in dataset.elements if element.list}
    whole = [code.name for one in lists for code in standard.codelist(one).codes]
    whole += [one.title for one in standard.codelists.values()] + [str(one) for one in Library] + ["双公示"]
    whole += [f"{element.id} {element.note}" for dataset in standard for element in dataset.elements]
    return "\n".join(whole)


#: Pages that show things by the names they have in the settings, and the journal, which is told as it was written.
BY_NAME = ("adapters", "audit")
#: Pages that show codes of the standard by their names.
CODED = ("entry/", "handbook", "tasks/", "records/", "submissions/", "standards")


@pytest.mark.parametrize("room", ["console", "sender"])
def test_an_english_page_has_no_chinese_but_data(city: Province, data: str, room: str) -> None:
    visitor = Browser(city, "market" if room == "sender" else "").log_in()
    visitor.client.get(f"/{room}/language?to=en")
    wrong: list[str] = []
    for path in addresses(city, room):
        answer = visitor.client.get(f"/{room}/{path}")
        assert answer.status_code < 500, path
        known = data + (coded() if path.startswith(CODED) else "")
        chinese = [one for one in said(answer.text) if any(run not in known for run in CJK.findall(one))]
        wrong += [f"{path}: {one}" for one in dict.fromkeys(chinese)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("room", ["console", "sender"])
def test_a_chinese_page_has_no_bare_english_words_but_names(city: Province, data: str, room: str) -> None:
    visitor = Browser(city, "market" if room == "sender" else "").log_in()
    standard = built_in()
    known = NAMES | {one.id for one in standard} | {e.id for one in standard for e in one.elements}
    settings = config("", more=EXTRA)
    wrong: list[str] = []
    for path in addresses(city, room):
        if path in BY_NAME:
            continue
        answer = visitor.client.get(f"/{room}/{path}")
        assert answer.status_code < 500, path
        bare = {
            word
            for one in said(answer.text)
            for word in WORD.findall(one)
            if word not in known and word not in settings and word not in data
        }
        wrong += [f"{path}: {one}" for one in sorted(bare)]
    assert not wrong, "\n".join(wrong)


def test_flows_and_their_steps_have_names_in_both_languages() -> None:
    for one in flows().values():
        for named in (one, *one.states.values(), *one.steps.values()):
            assert CJK.search(named.title), named
            assert named.title_en
            assert not CJK.search(named.title_en), named

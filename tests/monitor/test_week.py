"""Ten things an operator does in a week and six a sender does, each in at most four clicks from the first page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import sync_playwright
from sqlalchemy import Connection, select, update

from hub import serve
from hub.bootstrap import Hub, prepare
from hub.ledger.cases import Selection
from hub.ledger.reconciliations import Difference, Outcome
from hub.ledger.tables import case_, record_head, submission
from hub.serve import Running
from standards.exports import workbook
from standards.registry import built_in
from tests.hub.cases.test_month import rows
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Province, complaint
from tests.hub.test_replay import penalties
from tests.monitor.test_console import EXTRA, Browser
from tests.monitor.week import Visitor, word
from tests.receiver import Receiver
from tests.services.browser import LAUNCH_ARGUMENTS, executable_path

MORE = (
    EXTRA
    + """
[[expectations]]
datasets = ["check_action"]
parties = ["ecology"]
every = "month"
since = "2026-09-01"

[canary]
every = "5s"

[alarms]
every = "1s"
off = ["calendar_missing", "canary_late"]
disk_free_gb = 900000.0
"""
)
_WAVE = 12


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    """A city in which something is to be done of everything."""
    receiver = Receiver().start()
    path = tmp_path_factory.mktemp("week") / "hub.toml"
    path.write_text(config(receiver.url, more=MORE), "utf-8")
    running = serve.start(*prepare(path))
    town = Province(running, receiver)
    plant(town, running)
    yield town
    running.stop()
    receiver.stop()


def plant(town: Province, running: Running) -> None:
    """What went on in the week."""
    hub = running.hub
    ecology, market = town.client("ecology"), town.client("market")
    for _ in range(12):
        ecology.post("/v1/submissions?connection=plain&name=early.json", json=rows("punish_action", 1))
    ecology.post("/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(_WAVE))
    bad = rows("punish_action", 3, set_date="不详")
    market.post("/v1/submissions?connection=market-penalties&wait=20&name=九月处罚.json", json=bad)
    town.hand_down("from-above", complaint(), complaint("P-1", "11140200PBX1F1BY6T"))
    hub.cases().expect()
    until(lambda: _all_judged(hub))
    hub.ledger.write(lambda c: _silent(c, hub))
    hub.cases().listen()


def _all_judged(hub: Hub) -> bool:
    with hub.ledger.read() as connection:
        states = set(connection.execute(select(submission.c.state)).scalars())
    return states <= {"judged", "settled"}


def _silent(connection: Connection, hub: Hub) -> None:
    """The feed `plain` came every three hours, and came last twelve days ago."""
    came = connection.execute(select(submission.c.month, submission.c.id).where(submission.c.connection == "plain"))
    for turn, (month, identifier) in enumerate(came.all()):
        at = hub.clock.now() - timedelta(days=12) - turn * timedelta(hours=3)
        connection.execute(
            update(submission)
            .where(submission.c.month == month, submission.c.id == identifier)
            .values(received_at=at, judged_at=at)
        )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable_path(), args=LAUNCH_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def sessions(city: Province) -> dict[str, str]:
    """Operator and market are logged in once."""
    found = {}
    for party in ("", "market"):
        browser = Browser(city, party).log_in()
        found[party] = str(browser.client.cookies.get("hub_session"))
    return found


def visitor(chromium: Chromium, city: Province, sessions: dict[str, str], party: str) -> Iterator[Visitor]:
    context = chromium.new_context(viewport={"width": 1366, "height": 768}, accept_downloads=True)
    context.set_default_timeout(15_000)
    address = city.running.address
    context.add_cookies([{"name": "hub_session", "value": sessions[party], "url": address}])
    yield Visitor(context.new_page(), address, "sender" if party else "console")
    context.close()


@pytest.fixture
def operator(chromium: Chromium, city: Province, sessions: dict[str, str]) -> Iterator[Visitor]:
    yield from visitor(chromium, city, sessions, "")


@pytest.fixture
def sender(chromium: Chromium, city: Province, sessions: dict[str, str]) -> Iterator[Visitor]:
    yield from visitor(chromium, city, sessions, "market")


# The operator


def test_operator_1_answers_the_code_of_a_wave_of_wrong_codes_and_replays_it(operator: Visitor, city: Province) -> None:
    page = operator.page
    operator.menu("failures")
    operator.click(page.get_by_role("row").filter(has_text="网格上报").get_by_role("link", name=word("open")))
    page.get_by_label("标准代码").select_option("4")
    operator.button("answer")
    page.get_by_label(word("reason")).last.fill("网格上报即日常检查")
    operator.button("start_replay")
    operator.reads(f"{_WAVE}")
    operator.done("operator-1-wave")
    until(lambda: not [g for g in city.running.hub.failures().listed(Selection()) if g["pattern"] == "网格上报"])


def test_operator_2_has_a_dead_destination_tried_again(operator: Visitor, city: Province) -> None:
    city.receiver.status = 503
    good = rows("punish_action", 61)[60:]
    city.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=c.json", json=good)
    operator.reads("不可用")
    city.receiver.status = None
    operator.link("不可用")
    operator.button("retry")
    operator.reads("正常")
    operator.done("operator-2-destination")


def test_operator_3_finds_a_record_by_its_receipt_number_and_sees_its_whole_way(
    operator: Visitor, city: Province
) -> None:
    good = rows("punish_action", 63)[62:]
    said = city.client("market").post(
        "/v1/submissions?connection=market-penalties&wait=20&wait_for=settled&name=weg.json", json=good
    )
    operator.menu("search")
    operator.page.get_by_label(word("search_what")).fill(said.json()["receipt_no"])
    operator.button("search")
    operator.reads("weg.json")
    operator.done("operator-3-search")


def test_operator_4_sees_why_a_feed_is_silent_and_takes_the_case(operator: Visitor) -> None:
    operator.link("40003")
    operator.reads("plain")
    operator.button("take")
    operator.reads(word("done"))
    operator.done("operator-4-silent")


def test_operator_5_waives_a_case_with_a_name_and_a_reason(operator: Visitor, city: Province) -> None:
    operator.link("大同市生态环境局 未报送：行政检查行为")
    operator.page.get_by_label(word("waive_named")).fill("李主任")
    operator.page.get_by_label(word("waive_reason")).fill("机构改革，本期无检查")
    operator.button("waive")
    operator.done("operator-5-waive")
    with city.running.hub.ledger.read() as connection:
        left = connection.execute(
            select(case_.c.id).where(
                case_.c.party == "ecology", case_.c.dataset == "check_action", case_.c.closed_at.is_(None)
            )
        ).all()
    assert not left


def test_operator_6_reads_the_report_and_sends_the_circular(operator: Visitor) -> None:
    operator.menu("reports")
    operator.link(word("circular"))
    operator.button("send")
    operator.reads(word("sent"))
    operator.done("operator-6-circular")


def test_operator_7_hands_on_a_task_of_nobody(operator: Visitor) -> None:
    operator.link("无人负责")
    operator.click(operator.page.get_by_role("link", name="P-1"))
    form = operator.page.locator("form").filter(has=operator.page.locator("select"))
    form.locator("select").first.select_option("market")
    operator.click(form.get_by_role("button"))
    operator.reads("大同市市场监督管理局")
    operator.done("operator-7-task")


def test_operator_8_checks_a_reconciliation_and_what_differs(operator: Visitor, city: Province) -> None:
    hub = city.running.hub
    with hub.ledger.read() as connection:
        head = connection.execute(select(record_head).limit(1)).one()
    differs = Difference("missing", head.cd_id, head.owner, bytes(head.key_hash), head.bucket, head.party)
    counted = Outcome(
        way="hub",
        counterpart="province",
        dataset="punish_action",
        ours={"records": 9},
        theirs={"records": 8},
        agrees=False,
        missing=1,
        differences=(differs,),
    )
    hub.reconciliations().keep(counted, "test")
    operator.menu("reconciliations")
    operator.click(operator.page.locator("main table a"))
    operator.reads("行政处罚行为")
    operator.done("operator-8-reconciliation")


def test_operator_9_acknowledges_an_alarm(operator: Visitor) -> None:
    operator.menu("alarms")
    operator.reads("磁盘")
    operator.page.get_by_label(word("named")).first.fill("王值班")
    operator.button("alarm_acknowledge")
    operator.reads("王值班")
    operator.done("operator-9-alarm")


def test_operator_10_looks_at_who_looked(operator: Visitor) -> None:
    operator.menu("audit")
    operator.link(word("only_looks"))
    operator.done("operator-10-audit")


# The sender


def test_sender_1_hands_over_a_file_and_reads_its_faults(sender: Visitor, tmp_path: Path) -> None:
    page = sender.page
    path = tmp_path / "十月处罚.xlsx"
    dataset = built_in().dataset("punish_action")
    path.write_bytes(workbook.export(dataset, built_in(), rows("punish_action", 73, set_date="无")[71:]))
    sender.click(page.get_by_role("link", name=word("upload")))
    page.get_by_label(word("connection")).select_option("market-penalties")
    page.get_by_label(word("file"), exact=True).set_input_files(path)
    sender.button("upload")
    sender.reads("不是有效日期")
    sender.done("sender-1-upload")


def test_sender_2_fetches_the_marked_workbook_and_hands_it_in_mended(
    sender: Visitor, city: Province, tmp_path: Path
) -> None:
    page = sender.page
    good = rows("punish_action", 83)[81:]
    dataset = built_in().dataset("punish_action")
    bad = workbook.export(dataset, built_in(), [{**one, "set_date": "无"} for one in good])
    city.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=待改.xlsx", content=bad)
    page.reload()
    sender.link(word("next_faulty"))
    sender.click(page.get_by_role("row").filter(has_text="待改.xlsx").get_by_role("link"))
    with page.expect_download() as download:
        sender.clicks += 1
        page.get_by_role("link", name=word("marked")).click()
    assert download.value.suggested_filename.endswith(".xlsx")
    mended = tmp_path / "改好.xlsx"
    mended.write_bytes(workbook.export(dataset, built_in(), good))
    page.get_by_label(word("mended_file")).set_input_files(mended)
    sender.button("upload_mended")
    sender.reads("原有问题全部改正")
    sender.done("sender-2-mended")


def test_sender_3_types_one_record_into_the_form(sender: Visitor) -> None:
    page = sender.page
    (row,) = rows("punish_action", 91)[90:]
    sender.click(page.locator("main").get_by_role("link", name=word("entry")))
    sender.link("行政处罚行为")
    for name, value in row.items():
        fill(sender, name, value)
    sender.button("hand_over")
    sender.reads(f"{word('accepted')} 1")
    sender.done("sender-3-entry")


def fill(sender: Visitor, name: str, value: str) -> None:
    """One element, as its field wants it."""
    at = sender.page.locator(f'form.sheet [name="e.{name}"]')
    kind = at.first.evaluate("one => one.tagName + ' ' + one.type")
    at.first.evaluate("one => { const closed = one.closest('details'); if (closed) closed.open = true; }")
    if kind.startswith("SELECT"):
        at.select_option(value)
    elif "checkbox" in kind:
        for code in value.split(";"):
            sender.page.locator(f'form.sheet [name="e.{name}"][value="{code}"]').check()
    else:
        at.fill(value.replace(" ", "T") if "datetime" in kind else value)


def test_sender_4_signs_and_answers_a_task(sender: Visitor) -> None:
    page = sender.page
    sender.click(page.locator("main").get_by_role("link", name="C-1"))
    for step in ("签收", "受理"):
        sender.click(page.get_by_role("group", name=step, exact=True).get_by_role("button"))
    group = page.get_by_role("group").filter(has=page.locator('[name="said.handle_result"]')).first
    group.locator('[name="said.handle_result"]').fill("已责令改正")
    for one in group.locator("select").all():
        one.select_option(index=0)
    sender.click(group.get_by_role("button"))
    sender.reads("已责令改正")
    sender.done("sender-4-task")


def test_sender_5_sees_what_is_due_and_reports_that_there_was_nothing(sender: Visitor, city: Province) -> None:
    page = sender.page
    assert "超期" in page.inner_text("main")
    sender.link("未报送 监管动态与曝光台")
    sender.click(page.locator("main table").get_by_role("link", name="未报送"))
    page.get_by_label(word("named")).first.fill("张会计")
    sender.button("zero")
    sender.done("sender-5-zero")
    with city.running.hub.ledger.read() as connection:
        left = connection.execute(
            select(case_.c.id).where(
                case_.c.party == "market", case_.c.dataset == "supervise_dynamic", case_.c.closed_at.is_(None)
            )
        ).all()
    assert not left


def test_sender_6_prints_a_receipt(sender: Visitor) -> None:
    page = sender.page
    sender.menu("submissions")
    sender.click(page.get_by_role("row").filter(has_text="九月处罚.json").get_by_role("link"))
    page.emulate_media(media="print")
    paper = page.inner_text("body")
    assert re.search(r"回执 \d{6}-\d{6}-\d", paper)
    for said in (
        "大同市监管数据交换枢纽",
        "九月处罚.json",
        "退回 3",
        "SM3",
        "不是有效日期",
        "市级",
        "如何核验",
        "打印时间",
    ):
        assert said in paper, said
    for said in (word("upload_mended"), word("log_out"), word("mend_record"), word("sharing")):
        assert said not in paper, said
    page.emulate_media(media="screen")
    sender.done("sender-6-print")

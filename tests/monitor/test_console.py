"""The console and the sender's window: what needs a person is on the first page, and is done from there."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from openpyxl import load_workbook

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from monitor.console.texts import TEXTS
from tests.hub.cases.test_month import rows
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import MORE, Province, complaint
from tests.hub.test_replay import penalties
from tests.receiver import Receiver

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "monitor" / "console" / "templates"
PAGES = ROOT / "hub" / "api" / "console"
#: Words whose key stands in a variable.
SAID_BY_NAME = {"wrong_key", "pause", "resume", "cancel", "routed", "refused"}
EXTRA = (
    MORE
    + """
[connections.plain]
party = "ecology"
dataset = "punish_action"

[[expectations]]
datasets = ["supervise_dynamic"]
parties = ["market"]
every = "month"
since = "2026-09-01"
"""
)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=EXTRA), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


class Browser:
    """Follows redirects, keeps cookies, sends forms as they stand on the page."""

    def __init__(self, city: Province, party: str) -> None:
        self.room = "sender" if party else "console"
        hub = city.running.hub
        self.key = hub.ledger.write(lambda c: credentials.make(c, party, hub.clock.now(), by="test"))[1]
        self.client = httpx2.Client(base_url=city.running.address, follow_redirects=True, timeout=30)

    def log_in(self) -> Browser:
        said = self.client.post(f"/{self.room}/login", data={"key": self.key})
        assert said.status_code == 200, said.text[:500]
        return self

    def get(self, path: str = "") -> str:
        said = self.client.get(f"/{self.room}/{path}")
        assert said.status_code == 200, (path, said.status_code, said.text[:800])
        return said.text

    def send(self, path: str, page: str, **words: str) -> httpx2.Response:
        found = re.search(r'name="token" value="([0-9a-f]+)"', page)
        assert found
        return self.client.post(f"/{self.room}/{path}", data={"token": found[1], **words})


def test_four_troubles_are_on_the_first_page_in_words_with_since_who_and_link(city: Province) -> None:
    """A dead destination, a wave of an unknown code, a period without reports, a task of nobody."""
    operator = Browser(city, "").log_in()
    assert "没有需要人处理的事项" in operator.get() or "工作日历" in operator.get()
    hub = city.running.hub
    city.receiver.status = 503
    city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=rows("punish_action", 3))
    city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(40)
    )
    city.hand_down("from-above", complaint("P-1", "11140200PBX1F1BY6T"))
    hub.cases().expect()
    until(lambda: "投递目标 province 不可用" in operator.get(), 20)

    page = operator.get()

    assert re.search(r"投递目标 province 不可用，\d+ 条在等待", page)
    assert re.search(r"大同市生态环境局 报送错误：行政处罚行为、[0-9.a-z]+[^，]*，40 件", page)
    assert "大同市市场监督管理局 未报送：监管动态与曝光台、40001" in page
    assert "投诉举报办理：1 件无人负责" in page
    assert 'href="/console/cases/group?party=ecology' in page
    assert 'href="/console/tasks?flow=complaint' in page
    assert "运维：联系接收方" in page
    english = operator.client.get("/console/language?to=en").text
    assert "destination province is" in english
    assert "Needs a person now" in english


def test_a_wave_of_failures_is_rehearsed_and_replayed_from_the_page(city: Province) -> None:
    city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(40)
    )
    operator = Browser(city, "").log_in()
    page = operator.get("cases")
    (link,) = re.findall(r'href="/console/(cases/group\?[^"]+rehearse=1)"', page)
    assert re.search(r"仍不通过 40", operator.get(link.replace("&amp;", "&")))
    answer = {"mapping": "demo_ecology/punish_action", "name": "案件来源", "source": "网格上报", "code": "4"}
    city.client("").post("/v1/crosswalks", json=answer)
    page = operator.get(link.replace("&amp;", "&"))
    assert re.search(r"现在通过 40", page)
    words = dict(re.findall(r'name="(party|dataset|code)" value="([^"]*)"', page.split("<table>")[0]))

    done = operator.send("replays", page, **words, reason="代码已答复")

    assert done.status_code == 200
    until(lambda: "没有未关闭的异常" in operator.get("cases") or "未报送" in operator.get("cases"))
    until(lambda: "通过 40" in operator.get("replays"))


def test_a_sender_sees_what_was_wrong_uploads_again_and_answers_a_task(city: Province) -> None:
    sender = Browser(city, "market").log_in()
    page = sender.get("submissions")
    assert "market-penalties" in page
    assert "ecology-penalties" not in page, "others have theirs"
    token = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert token
    content = sender.client.get("/sender/template.xlsx?dataset=punish_action").content
    book = load_workbook(io.BytesIO(content))
    sheet = book.worksheets[0]
    names = [cell.value for cell in sheet[2]]
    (row,) = rows("punish_action", 1, set_date="不详")
    for name, value in row.items():
        if name in names:
            sheet.cell(3, names.index(name) + 1).value = value
    held = io.BytesIO()
    book.save(held)
    said = sender.client.post(
        "/sender/submissions",
        data={"token": token[1], "connection": "market-penalties"},
        files={"file": ("处罚.xlsx", held.getvalue())},
    )
    assert said.status_code == 200, said.text[:500]
    receipt = str(said.url).rpartition("/")[2]
    until(lambda: "退回 1" in sender.get(f"submissions/{receipt}"))
    shown = sender.get(f"submissions/{receipt}")
    assert "不详" in shown
    assert load_workbook(io.BytesIO(sender.client.get(f"/sender/submissions/{receipt}/marked.xlsx").content))

    city.hand_down("from-above", complaint())
    page = sender.get("tasks")
    (task,) = re.findall(r'href="/sender/tasks/([0-9a-f-]+)"', page)
    page = sender.get(f"tasks/{task}")
    assert "签收" in page
    done = sender.send(f"tasks/{task}", page, step="sign")
    assert "待受理" in done.text
    early = sender.send(f"tasks/{task}", page, step="visit", **{"said.satisfaction": "1", "said.is_solved": "1"})
    assert early.status_code == 409
    assert "不由" in early.text or "当前状态" in early.text


def test_nothing_is_open_without_a_key_and_each_stays_in_their_room(city: Province) -> None:
    stranger = httpx2.Client(base_url=city.running.address, follow_redirects=True)
    for room in ("console", "sender"):
        for path in ("", "cases", "tasks", "submissions", "sharing", "notices", "submissions/261124-000001-9"):
            shown = stranger.get(f"/{room}/{path}").text
            assert 'name="key"' in shown, path
            assert "总览" not in shown
        assert stranger.post(f"/{room}/cases", data={"token": "x", "step": "take"}).status_code == 401
    assert stranger.post("/console/login", data={"key": "hub_x_y"}).status_code == 401
    party = Browser(city, "market")
    assert party.client.post("/console/login", data={"key": party.key}).status_code == 403
    party.log_in()
    assert 'name="key"' in party.client.get("/console/").text
    page = party.get("cases")
    assert party.client.post("/sender/cases", data={"token": "0" * 32, "step": "take"}).status_code == 403
    assert party.client.get("/sender/replays").status_code == 404
    assert party.send("logout", page).status_code == 200
    assert 'name="key"' in party.client.get("/sender/").text
    assert httpx2.get(f"{city.running.address}/nowhere").status_code == 404


def test_pages_load_nothing_from_elsewhere_and_run_no_scripts(city: Province) -> None:
    operator = Browser(city, "").log_in()
    for path in ("", "cases", "tasks", "submissions", "replays", "sharing", "notices"):
        answer = operator.client.get(f"/console/{path}")
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text
        assert not re.findall(r'(?:src|href|action)="(?!/console|#)[^"]*"', answer.text), path
        assert '<html lang="zh-CN">' in answer.text
        labels = re.findall(r"<(?:input|select)(?![^>]*hidden)[^>]*>", answer.text)
        assert len(labels) <= answer.text.count("<label"), f"{path}: every field has a label"
    style = operator.client.get("/console/style.css")
    assert "@media print" in style.text
    assert "url(" not in style.text
    session = operator.client.cookies.get("hub_session")
    assert session
    assert session != operator.key, "the key that was typed is not kept in the browser"


def test_reports_are_seen_fetched_and_sent_from_the_pages(city: Province) -> None:
    city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(30)
    )
    operator, sender = Browser(city, "").log_in(), Browser(city, "ecology").log_in()
    for one in (operator, sender):
        for every in ("day", "week", "month", "quarter", "year"):
            assert "退回率" in one.get(f"reports?every={every}&at=")
        assert "30" in re.findall(r'<td class="n">(\d+)</td>', one.get("reports?every=month"))
    sheet = operator.client.get("/console/report.xlsx?every=month")
    assert "单位考核" in load_workbook(io.BytesIO(sheet.content)).sheetnames
    assert operator.client.get("/console/reports?every=month&at=soon").status_code == 422
    notice = operator.get("rectification?party=ecology")
    assert "整改通知" in notice
    said = operator.send("rectification", notice, party="ecology")
    assert "已发出" in said.text
    assert "整改通知" in sender.get("notices")
    assert "整改通知" in sender.get("rectification"), "a party reads its own"
    assert sender.client.get("/sender/circular").status_code == 404
    circular = operator.get("circular")
    assert "<h1>通报</h1>" in circular
    assert "未报送" in circular, "market reported nothing in September"
    assert "已发出" in operator.send("circular", circular).text
    assert "通报" in Browser(city, "market").log_in().get("notices")


def words_in_use() -> set[str]:
    """Keys that templates and pages name, and all of a family that is named by its head: `t('every_' ~ span)`."""
    used, heads = set(), set()
    for template in TEMPLATES.glob("*.html"):
        source = template.read_text("utf-8")
        used |= set(re.findall(r"\bt\('([a-z0-9_]+)'\)", source))
        heads |= set(re.findall(r"\bt\('([a-z0-9_]+_)' ~", source))
    for module in PAGES.glob("*.py"):
        source = module.read_text("utf-8")
        used |= set(re.findall(r"""\b(?:text\(\s*|Item\()['"]([a-z0-9_]+)['"]""", source))
        heads |= set(re.findall(r'\btext\(\s*f"([a-z0-9_]+_)\{', source))
    return used | {name for name in TEXTS if name.startswith(tuple(heads))} | SAID_BY_NAME


def test_every_word_of_the_pages_is_there_in_both_languages() -> None:
    used = words_in_use()
    assert used <= set(TEXTS), used - set(TEXTS)
    assert set(TEXTS) - used == set(), "words nobody shows"
    for key, (chinese, english) in TEXTS.items():
        assert chinese.strip(), key
        assert english.strip(), key

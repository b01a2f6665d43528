"""The page of alarms: what is open is acknowledged there, ways and contacts are shown without secrets, in a browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page
from typer.testing import CliRunner

from hub import serve
from hub.bootstrap import prepare
from hub.cli.main import app
from hub.ledger import credentials
from hub.serve import Running
from tests.hub.alarms.test_ways import Robot
from tests.hub.city import config, until
from tests.monitor.test_browser import page, shot, watched  # noqa: F401 - a fixture

MORE = """
[canary]
every = "1s"
late = "1m"

[alarms]
every = "1s"
off = ["calendar_missing", "canary_late"]
disk_free_gb = 900000.0

[alarms.contacts.duty]
title = "值班运维"
way = "wecom"
key = "env:ROBOT_KEY"
url = "{url}"

[alarms.contacts.nobody]
title = "无人"
way = "webhook"
url = "http://127.0.0.1:1/alarms"
secret = "env:ROBOT_KEY"
rules = ["backlog"]
"""


@dataclass
class Site:
    """A hub whose disk is said to be too small, and the robot of its operators."""

    running: Running
    robot: Robot
    key: str

    def operator(self) -> httpx2.Client:
        return httpx2.Client(base_url=self.running.address, headers={"authorization": f"Bearer {self.key}"}, timeout=30)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setenv("ROBOT_KEY", "very-secret")
    robot = Robot()
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:1/parcels", more=MORE.format(url=robot.url)), "utf-8")
    running = serve.start(*prepare(path))
    yield Site(running, robot, (running.hub.state / "operator.key").read_text("ascii"))
    running.stop()
    robot.stop()


def test_an_alarm_is_told_shown_and_acknowledged_on_its_page(site: Site, page: Page) -> None:  # noqa: F811
    until(lambda: len(site.robot.asked) == 1, 30)
    told = json.loads(site.robot.asked[0][2])["text"]["content"]
    assert told.startswith("[datong] 严重告警 磁盘空间不足")
    asked, wrong = watched(page)

    page.goto(f"{site.running.address}/console/")
    page.get_by_label("密钥").fill(site.key)
    page.get_by_role("button", name="登录").click()
    page.get_by_role("link", name="告警", exact=True).click()
    page.get_by_label("姓名").fill("张三")
    page.get_by_label("说明").fill("正在清理")
    page.get_by_role("button", name="确认").click()
    page.wait_for_load_state()

    text = page.inner_text("main")
    assert "已确认" in text
    assert "张三" in text
    assert "正在清理" in text
    assert "仅连接" in text
    assert "最近一次未返回" in text
    assert "very-secret" not in page.content()
    assert site.robot.url not in page.content()
    shot(page, "alarms")
    found = Axe().run(page)
    assert [v["id"] for v in found.response["violations"]] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 1366
    assert all(url.startswith(site.running.address) for url in asked), asked
    assert wrong == []
    page.get_by_role("button", name="发送测试消息").nth(1).click()
    page.wait_for_load_state()
    assert "127.0.0.1:1" in page.inner_text("[role=alert]"), "what does not work is told on the page"
    page.get_by_role("button", name="发送测试消息").nth(0).click()
    page.wait_for_load_state()
    assert "测试消息已发送" in page.inner_text("[role=status]")
    titles = [json.loads(body)["text"]["content"].splitlines()[0] for _, _, body in site.robot.asked]
    assert titles == ["[datong] 严重告警 磁盘空间不足", "[datong] 测试消息 test"]
    page.get_by_role("link", name="English").click()
    page.goto(f"{site.running.address}/console/alarms")
    assert "are free where the state folder is" in page.inner_text("main")


def test_the_same_at_the_api_and_the_command_line_and_only_for_operators(site: Site) -> None:
    until(lambda: len(site.robot.asked) == 1, 30)
    url = ["--url", site.running.address, "--key", site.key]

    def said(*words: str) -> str:
        return " ".join(CliRunner().invoke(app, ["alarms", *words, *url], env={"COLUMNS": "300"}).output.split())

    with site.operator() as client:
        (one,) = client.get("/v1/alarms").json()
        assert (one["rule"], one["told"], one["grave"]) == ("disk_low", ["duty"], True)
        assert "磁盘空间不足" in said("list")
        assert "磁盘" in said("acknowledge", one["id"], "--named", "张三")
        assert client.get("/v1/alarms").json()[0]["acknowledged_by"].startswith("张三 (")
        assert "已发送" in said("test", "duty")
        assert "没有名为 dutty 的联系人" in said("test", "dutty")
        assert "very-secret" not in said("contacts", "--json") + client.get("/v1/alarms/contacts").text
        assert "仅连接" in said("canaries")
        assert client.post(f"/v1/alarms/{one['id']}/acknowledge", json={"named": ""}).status_code == 422
    hub = site.running.hub
    party = hub.ledger.write(lambda c: credentials.make(c, "ecology", hub.clock.now(), by="test"))[1]
    headers = {"authorization": f"Bearer {party}"}
    for method, path in (
        ("GET", "/v1/alarms"),
        ("GET", "/v1/alarms/contacts"),
        ("GET", "/v1/canaries"),
        ("POST", "/v1/alarms/contacts/duty/test"),
        ("POST", f"/v1/alarms/{one['id']}/acknowledge"),
    ):
        answer = httpx2.request(method, f"{site.running.address}{path}", headers=headers, json={"named": "x"})
        assert answer.status_code == 403, path

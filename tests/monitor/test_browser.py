"""The pages in a real browser: no request leaves the server, no error, readable at 1366 × 768, screenshots kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from hub.api.console.menu import MENUS
from hub.ledger import submissions
from tests.hub.tasks.test_journeys import Province, complaint
from tests.hub.test_replay import penalties
from tests.monitor.test_console import Browser, city  # noqa: F401 - a fixture
from tests.services.browser import LAUNCH_ARGUMENTS, executable_path

SHOTS = Path(__file__).resolve().parents[2] / "artefacts" / "console"


@pytest.fixture
def page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable_path(), args=LAUNCH_ARGUMENTS)
        yield browser.new_page(viewport={"width": 1366, "height": 768})
        browser.close()


def watched(page: Page) -> tuple[list[str], list[str]]:
    """What the page asks for, and what it complains of."""
    asked: list[str] = []
    wrong: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.on("console", lambda one: wrong.append(one.text) if one.type == "error" else None)
    page.on("pageerror", lambda one: wrong.append(str(one)))
    return asked, wrong


def shot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)


def log_in(page: Page, city: Province, party: str) -> None:  # noqa: F811
    browser = Browser(city, party)
    page.goto(f"{city.running.address}/{browser.room}/")
    page.get_by_label("密钥").fill(browser.key)
    page.get_by_role("button", name="登录").click()
    page.wait_for_load_state()


def test_an_operator_mends_a_wave_of_failures_in_four_clicks(page: Page, city: Province) -> None:  # noqa: F811
    city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(30)
    )
    city.hand_down("from-above", complaint("P-1", "11140200PBX1F1BY6T"))
    answer = {"mapping": "demo_ecology/punish_action", "name": "案件来源", "source": "网格上报", "code": "4"}
    city.client("").post("/v1/crosswalks", json=answer)
    asked, wrong = watched(page)
    log_in(page, city, "")
    shot(page, "overview")

    page.get_by_role("link", name="大同市生态环境局 报送错误").first.click()
    shot(page, "cases")
    page.get_by_role("link", name="预演重放").first.click()
    page.get_by_label("原因").fill("代码已答复")
    page.get_by_role("button", name="重放", exact=True).click()
    page.wait_for_load_state()
    for _ in range(100):
        if "通过 30" in page.content():
            break
        page.wait_for_timeout(100)
        page.reload()
    shot(page, "replays")

    assert "通过 30" in page.content()
    assert all(url.startswith(city.running.address) for url in asked), "no request leaves the server"
    assert wrong == []
    _readable(page)


def test_a_sender_signs_and_answers_a_task_and_reads_a_receipt(page: Page, city: Province) -> None:  # noqa: F811
    city.hand_down("from-above", complaint())
    asked, wrong = watched(page)
    log_in(page, city, "market")
    shot(page, "sender")
    page.get_by_role("link", name="协同任务", exact=True).click()
    page.get_by_role("link", name="C-1").click()
    shot(page, "task")
    page.get_by_role("group", name="签收").get_by_role("button").click()
    page.wait_for_load_state()
    assert "待受理" in page.content()
    page.get_by_role("link", name="English").click()
    assert "Log out" in page.content()
    assert all(url.startswith(city.running.address) for url in asked)
    assert wrong == []
    _readable(page)


def test_every_page_of_the_console_is_readable_and_asks_nobody_else(page: Page, city: Province) -> None:  # noqa: F811
    city.client("ecology").post("/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(9))
    with city.running.hub.ledger.read() as connection:
        number = next(submissions.listed(connection)).receipt_no
    asked, wrong = watched(page)
    log_in(page, city, "")
    more = [f"records/{number}/1", "flows/to/province", "flows/party/ecology", "flows/from/plain", "adapters"]
    more += ["cases/group?party=ecology&class=2", "standards/punish_action", "standards/calendar", "coverage/plain"]

    for name in [*(one.name for one in MENUS["console"] if one.name != "overview"), *more, ""]:
        page.goto(f"{city.running.address}/console/{name}")
        _readable(page)
        shot(page, "page-" + re.sub(r"[^a-z]+", "-", name or "overview"))

    assert all(url.startswith(city.running.address) for url in asked)
    assert wrong == []


def _readable(page: Page) -> None:
    """Nothing runs out at the side, one heading, and axe finds nothing serious."""
    found: dict[str, Any] = page.evaluate(
        """() => ({
            wide: document.documentElement.scrollWidth > window.innerWidth,
            headings: document.querySelectorAll('h1').length,
        })"""
    )
    assert found == {"wide": False, "headings": 1}
    serious = [
        f"{one['id']}: {node['html'][:120]}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:2]
    ]
    assert serious == []

"""Failures mended in a real browser: every page of it readable at 1366 × 768, clean for axe, nothing from elsewhere."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.hub.tasks.test_journeys import Province
from tests.hub.test_replay import UNKNOWN
from tests.monitor.test_browser import _readable as readable
from tests.monitor.test_browser import log_in, page, shot, watched  # noqa: F401 - a fixture
from tests.monitor.test_console import city  # noqa: F401 - a fixture
from tests.monitor.test_failures_pages import hand_over


def test_failures_are_mended_in_a_browser_and_every_page_is_readable(
    page: Page,  # noqa: F811
    city: Province,  # noqa: F811
) -> None:
    number = hand_over(city, 6)
    asked, wrong = watched(page)
    log_in(page, city, "")
    page.get_by_role("link", name="异常组", exact=True).click()
    readable(page)
    shot(page, "failures")
    page.get_by_role("row").filter(has_text=UNKNOWN).get_by_role("link", name="查看").click()
    page.get_by_label("新值").fill("日常检查")
    page.get_by_role("button", name="预演修复").click()
    assert "日常检查" in page.locator("ins").first.inner_text()
    readable(page)
    shot(page, "failure")
    page.goto(f"{city.running.address}/console/edit/{number}/1")
    page.get_by_label("案件来源", exact=True).fill("日常检查")
    page.get_by_role("button", name="预演修改").click()
    readable(page)
    shot(page, "edit")
    page.get_by_label("原因").fill("核实")
    page.get_by_label("数据归属单位的同意人").fill("生态环境局 王芳")
    page.get_by_role("button", name="修改并重新报送").click()
    page.wait_for_url("**/console/mending/**")
    readable(page)
    shot(page, "mending")
    assert all(url.startswith(city.running.address) for url in asked)
    assert wrong == []

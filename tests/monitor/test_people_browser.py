"""The pages of people in a real browser: readable, and a code's picture stands on the page under its policy."""

from __future__ import annotations

from playwright.sync_api import Page

from hub.people import factor
from standards.rights import Role
from tests.hub.people import a_person, a_session
from tests.monitor.test_browser import _readable, page, shot, watched  # noqa: F401 - a fixture
from tests.monitor.test_people import NEW, Town, town  # noqa: F401 - a fixture


def test_somebody_comes_in_for_the_first_time_and_the_pages_are_readable(page: Page, town: Town) -> None:  # noqa: F811
    body = {"name": "chu.ci", "title": "初次甲", "roles": ["security_admin"]}
    first = town.client("").post("/v1/users", json=body).json()["password"]
    asked, wrong = watched(page)
    page.goto(f"{town.running.address}/console/people")
    _readable(page)
    shot(page, "log-in")
    page.get_by_label("用户名").fill("chu.ci")
    page.get_by_label("密码", exact=True).fill(first)
    page.get_by_role("button", name="进入系统").click()
    _readable(page)
    page.get_by_label("新密码", exact=True).fill(NEW)
    page.get_by_label("再次输入新密码").fill(NEW)
    page.get_by_role("button", name="修改密码").click()
    page.wait_for_selector("svg")
    _readable(page)
    shot(page, "second-factor")
    drawn = page.locator("svg").first.bounding_box()
    assert drawn is not None
    assert drawn["width"] > 100
    letters = page.locator("code").first.inner_text().replace(" ", "")
    page.get_by_label("验证码").fill(factor.code_at(letters, town.hub.clock.now()))
    page.get_by_role("button", name="确认").click()
    _readable(page)
    page.get_by_role("link", name="继续").click()
    page.get_by_role("link", name="人员与密钥").click()
    _readable(page)
    shot(page, "people")
    page.get_by_role("link", name="初次甲").click()
    _readable(page)
    assert all(url.startswith(town.running.address) for url in asked)
    assert wrong == []


def test_the_auditor_and_one_person_are_readable_pages(page: Page, town: Town) -> None:  # noqa: F811
    name = a_person(town.hub, "shen.ji.er", roles=[Role.AUDIT_ADMIN])
    page.context.add_cookies([{"name": "hub_session", "value": a_session(town.hub, name), "url": town.running.address}])
    page.goto(f"{town.running.address}/console/audit")
    _readable(page)
    shot(page, "audit")
    security = a_person(town.hub, "an.quan.er", roles=[Role.SECURITY_ADMIN])
    page.context.add_cookies(
        [{"name": "hub_session", "value": a_session(town.hub, security), "url": town.running.address}]
    )
    page.goto(f"{town.running.address}/console/people/shen.ji.er")
    _readable(page)

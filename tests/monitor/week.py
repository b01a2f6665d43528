"""A week of an operator and of a sender in a real browser: who clicks, what is counted, what is watched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page

from monitor.console.texts import TEXTS

SHOTS = Path(__file__).resolve().parents[2] / "artefacts" / "week"
#: From the first page on.
MOST_CLICKS = 4


def word(key: str) -> str:
    """A word of the pages as an operator reads it."""
    return TEXTS[key][0]


@dataclass
class Visitor:
    """Somebody who is logged in and stands on the first page."""

    page: Page
    address: str
    room: str
    clicks: int = 0
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        page = self.page
        page.on("request", lambda one: self.asked.append(one.url))
        page.on("console", lambda one: self.complaints.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda one: self.complaints.append(str(one)))
        page.goto(f"{self.address}/{self.room}/")

    def click(self, what: Locator) -> None:
        """One click; every one counts."""
        self.clicks += 1
        what.first.click()
        self.page.wait_for_load_state()

    def menu(self, key: str) -> None:
        """A line of the menu."""
        self.click(self.page.locator("nav").get_by_role("link", name=word(key), exact=True))

    def link(self, text: str) -> None:
        """A link by part of what it says."""
        self.click(self.page.locator("main").get_by_role("link", name=text))

    def button(self, key: str) -> None:
        """A button of the page itself."""
        self.click(self.page.locator("main").get_by_role("button", name=word(key), exact=True))

    def reads(self, text: str, tries: int = 60) -> None:
        """Looks again until the page says it; looking again is no click: it is what the page itself tells to do."""
        for _ in range(tries):
            if text in self.page.inner_text("main"):
                return
            self.page.wait_for_timeout(100)
            self.page.reload()
        raise AssertionError(f"{text!r} is not on {self.page.url}:\n{self.page.inner_text('main')[:1500]}")

    def done(self, name: str) -> None:
        """Keeps a picture; not too many clicks, nothing from elsewhere, no error, readable, clean for axe."""
        SHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=str(SHOTS / f"{name}.png"), full_page=True)
        assert self.clicks <= MOST_CLICKS, f"{self.clicks} clicks"
        elsewhere = [url for url in self.asked if not url.startswith(self.address)]
        assert elsewhere == []
        assert self.complaints == []
        readable(self.page)
        printable(self.page)


def readable(page: Page) -> None:
    """Nothing runs out at the side, one heading, and axe finds nothing serious."""
    found: dict[str, Any] = page.evaluate(
        """() => ({
            wide: document.documentElement.scrollWidth > window.innerWidth,
            headings: document.querySelectorAll('h1').length,
        })"""
    )
    assert found == {"wide": False, "headings": 1}, page.url
    serious = [
        f"{page.url} {one['id']}: {node['html'][:160]}"
        for one in Axe().run(page).response["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:2]
    ]
    assert serious == []


def printable(page: Page) -> None:
    """On paper stands the content, and neither menu nor buttons."""
    page.emulate_media(media="print")
    heading = page.locator("h1")
    assert heading.is_visible()
    assert not page.locator("nav").first.is_visible()
    assert page.locator("button:visible").count() == 0
    sheet = page.pdf(format="A4", landscape=True)
    assert sheet.startswith(b"%PDF")
    assert len(sheet) > 5000
    page.emulate_media(media="screen")

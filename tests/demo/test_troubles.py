"""Four troubles planted in the demo city are on the operator's first page in words, and each leads to its mending."""

from __future__ import annotations

import html
import logging
import re
from collections.abc import Iterator

import httpx2
import pytest
import structlog

from demo import troubles
from demo.play import Demo, playing
from demo.show import Screen
from tests.hub.city import until


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo city with its troubles; what went well before is left out."""
    before, handlers = structlog.get_config(), list(logging.getLogger().handlers)
    with playing(tmp_path_factory.mktemp("troubles") / "state", 0, Screen(quiet=True)) as running:
        troubles.plant(running)
        yield running
    # The demo's log is closed: nobody after us may write into it.
    structlog.configure(**before)
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="module")
def operator(demo: Demo) -> httpx2.Client:
    key = (demo.place.root / "hub" / "operator.key").read_text("ascii").strip()
    client = httpx2.Client(base_url=demo.running.address, follow_redirects=True, timeout=60)
    assert client.post("/console/login", data={"key": key}).status_code == 200
    return client


#: Words of a trouble in Chinese and English, and who must act.
STORIES = {
    "silent": (r"市场监督管理局 未报送.*40003", r"market not reported.*40003", "市场监督管理局"),
    "dead": (
        r"投递目标 \S*province-services\S* 不可用，8 条在等待",
        r"province-services is down, 8 records wait",
        "运维",
    ),
    "wave": (
        r"生态环境局 报送错误：行政处罚行为、10005.crosswalk 来源代码没有对照到标准代码，150 件",
        r"ecology wrong: punish_action, 10005.crosswalk [^,]*, 150",
        "运维：答复代码",
    ),
    "overdue": (r"应急管理局 报送错误：.*已超期", r"emergency wrong: .*overdue", "应急管理局"),
}


@pytest.mark.parametrize("trouble", STORIES)
def test_each_trouble_is_on_the_first_page_in_words_with_since_who_must_act_and_a_link(
    trouble: str, operator: httpx2.Client
) -> None:
    zh, en, who = STORIES[trouble]
    rows = [re.sub(r"\s+", " ", row) for row in re.findall(r"<tr>.*?</tr>", operator.get("/console/").text, re.DOTALL)]

    found = [row for row in rows if re.search(zh, html.unescape(re.sub(r"<[^>]+>", " ", row)))]

    assert found, [html.unescape(re.sub(r"<[^>]+>", " ", row)) for row in rows]
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", found[0]), "since when"
    assert who in found[0]
    link = re.search(r'href="(/console/[^"]+)"', found[0])
    assert link
    page = operator.get(html.unescape(link[1]))
    assert page.status_code == 200
    assert "<h1" in page.text
    assert link[1] != "/console/", "it leads somewhere"
    english = operator.get("/console/", headers={"cookie": f"{_cookies(operator)}; hub_language=en"}).text
    assert re.search(en, re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", english))))


def _cookies(client: httpx2.Client) -> str:
    return "; ".join(f"{name}={value}" for name, value in client.cookies.items())


def test_the_dead_destination_goes_on_by_itself_when_it_answers(demo: Demo, operator: httpx2.Client) -> None:
    troubles.heal(demo)
    until(lambda: not re.search("province-services.{0,80}不可用", operator.get("/console/").text, re.DOTALL), 60)

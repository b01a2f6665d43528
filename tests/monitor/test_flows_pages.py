"""The map of flows and the pages of destinations, parties and connections; cases as a board."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from hub.board import bucket
from hub.flows.rates import against, share_of_day
from hub.flows.standing import of_destination, of_party
from hub.ledger.tables import journal
from monitor.console.chart import drawn
from tests.hub.cases.test_month import rows
from tests.hub.city import until
from tests.hub.tasks.test_journeys import Province
from tests.hub.test_replay import penalties
from tests.monitor.test_console import Browser, city  # noqa: F401 - a fixture


def actions(city: Province) -> list[str]:  # noqa: F811
    with city.running.hub.ledger.read() as connection:
        return list(connection.execute(select(journal.c.action)).scalars())


def test_a_dead_destination_is_seen_on_the_map_tried_paused_resumed_and_retried(city: Province) -> None:  # noqa: F811
    city.receiver.status = 503
    city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=rows("punish_action", 3))
    operator = Browser(city, "").log_in()
    until(lambda: "投递目标 province 不可用" in operator.get(), 20)

    page = operator.get()

    assert 'href="/console/flows/to/province"' in page.split("<h2>")[0], "what needs a person leads to its mending"
    assert re.search(r'<path class="flow bad"', page)
    assert re.search(r'class="rate bad out"[^>]*>✕ 0 · 不可用', page), "never by colour alone"
    assert re.search(r'class="rate good in"[^>]*>✓ 3', page)
    assert "<script" not in page
    assert "style=" not in page
    page = operator.get("flows/to/province")
    assert re.search(r"(待投递|投递中)</td><td class=\"n\">1</td><td class=\"n\">3<", page)
    assert "503" in page
    tried = operator.send("flows/to/province/test", page)
    assert "刚刚实测" in tried.text
    paused = operator.send("flows/to/province/pause", page, reason="对方检修")
    assert "已暂停" in paused.text
    assert "对方检修" in paused.text
    city.receiver.status = 200
    assert "正常" in operator.send("flows/to/province/resume", page).text
    operator.send("flows/to/province/retry", page)
    until(lambda: "没有积压" in operator.get("flows/to/province"), 20)
    assert "✓" in operator.send("flows/to/province/test", page).text.split("刚刚实测")[0][-80:]
    city.receiver.stop()
    assert "✕" in operator.send("flows/to/province/test", page).text.split("刚刚实测")[0][-80:], "really tried"
    said = actions(city)
    for action in ("destination_tried", "destination_paused", "destination_resumed", "destination_hastened"):
        assert action in said
    assert operator.client.get("/console/flows/to/nowhere").status_code == 404
    assert operator.send("flows/to/nowhere/retry", page).status_code == 404


def test_a_party_and_its_connection_show_what_came_today(city: Province) -> None:  # noqa: F811
    said = city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(40)
    )
    city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=c.json", content=b"{ no json")
    operator = Browser(city, "").log_in()
    page = operator.get("flows")
    assert re.search(r"退回 100%</td><td><a href=\"/console/flows/party/ecology\">", page)
    page = operator.get("flows/party/ecology")
    assert re.search(r'<td>行政处罚行为</td><td class="n">40</td><td class="n">0</td><td class="n">40</td>', page)
    assert "报送错误" in page
    assert re.search(r"最近失败</dt><dd>20\d\d-", operator.get("flows/from/plain"))
    page = operator.get("flows/from/ecology-penalties")
    assert said.json()["receipt_no"] in page
    assert "对方推送" in operator.send("flows/from/ecology-penalties/test", page).text
    paused = operator.send("flows/from/plain/pause", page, reason="数据有误，先停")
    assert "数据有误，先停" in paused.text
    ask = "/v1/submissions?connection=plain&name=d.json"
    until(lambda: city.client("ecology").post(ask, json=[]).status_code == 403)  # who hands over is told
    assert "已暂停接收" not in operator.send("flows/from/plain/resume", page).text
    later = "/v1/submissions?connection=plain&name=e.json"
    until(lambda: city.client("ecology").post(later, json=rows("punish_action", 1)).status_code < 300)
    assert {"connection_tried", "connection_paused", "connection_resumed"} <= set(actions(city))
    sender = Browser(city, "ecology").log_in()
    assert sender.client.get("/sender/flows").status_code == 404


def test_cases_stand_by_working_days_left_and_are_waived_by_a_named_person_with_a_reason(
    city: Province,  # noqa: F811
) -> None:
    city.client("ecology").post("/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(3))
    operator, sender = Browser(city, "").log_in(), Browser(city, "ecology").log_in()
    page = operator.get("cases")
    assert re.search(r"剩 3 至 5 个工作日</a> <strong>3</strong>", page) or "无工作日历</a> <strong>3" in page
    (link,) = set(re.findall(r'href="/console/(cases/group\?[^"]+)">报送错误', page))
    link = link.replace("&amp;", "&")
    group = operator.get(link)
    assert len(set(re.findall(r'href="/console/records/[0-9-]+/\d"', group))) == 3
    words = dict(re.findall(r'name="(party|class|dataset|code)" value="([^"]*)"', group))
    (cause,) = set(re.findall(r'href="/console/(failures/[0-9a-f]+)"', group))
    assert "网格上报" in operator.get(cause), "a group of cases leads to its cause"
    own = sender.get("cases")
    refused = sender.send("cases", own, step="waive", named="李四", reason="不想报", **words)
    assert refused.status_code == 403
    assert operator.send("cases", page, step="waive", named="", reason="", **words).status_code == 422
    assert operator.send("cases", page, step="waive", named="李四", reason="全部").status_code == 422, (
        "never all at once"
    )
    done = operator.send("cases", page, step="waive", named="李四", reason="经核实为重复案件", **words)
    assert "已办理" in done.text
    assert "没有未关闭的异常" in operator.get(link)
    assert "cases_waived" in actions(city)


@pytest.mark.parametrize(
    ("left", "overdue", "column"),
    [
        (-2, True, "overdue"),
        (0, True, "overdue"),
        (0, False, "today"),
        (1, False, "one"),
        (2, False, "two"),
        (3, False, "few"),
        (5, False, "few"),
        (6, False, "later"),
        (None, False, "unknown"),
    ],
)
def test_a_group_stands_in_its_column(left: int | None, overdue: bool, column: str) -> None:
    assert bucket({"working_days_left": left, "overdue": overdue}) == column


def test_less_than_usual_is_told_only_when_much_was_to_be_expected_by_now() -> None:
    assert against(10, 100, 0.5) == "less"
    assert against(30, 100, 0.5) == "as"
    assert against(0, 100, 0.1) == "as", "the day has only begun"
    assert against(0, 5, 1.0) == "as", "so few tell nothing"
    assert against(300, 100, 0.5) == "more"
    assert against(0, None, 1.0) == "unknown"
    assert share_of_day(datetime(2026, 9, 1, 5, 0, tzinfo=UTC)) == pytest.approx(0.5)


def test_a_line_stands_as_its_worst_trouble_says() -> None:
    up = {"state": "up", "paused": False, "waited": timedelta(0), "stopped": 0, "today": 1}
    assert of_destination(**up).sign == "good"
    assert of_destination(**{**up, "waited": timedelta(hours=1)}).sign == "warn"
    assert of_destination(**{**up, "stopped": 2}).sign == "bad"
    assert of_destination(**{**up, "state": "down", "stopped": 2}).zh == "不可用"
    assert of_destination(**{**up, "paused": True, "state": "down"}).sign == "off"
    calm = {"silent": 0, "missing": 0, "stalled": 0, "read": 100, "rejected": 5, "less": False}
    calm |= {"paused": False, "live": True}
    assert of_party(**calm).sign == "good"
    assert of_party(**{**calm, "rejected": 40}).zh == "退回 40%"
    assert of_party(**{**calm, "silent": 1}).sign == "bad"
    assert of_party(**{**calm, "read": 0, "rejected": 0, "live": False}).zh == "未上线"


def test_many_parties_are_put_together_and_the_troubled_ones_keep_their_own_box() -> None:
    one = {"way": "in", "where": "beside", "usual": None, "against": "unknown", "says_zh": "", "says_en": ""}
    one |= {"waiting": 0, "link": "x"}
    many = [{**one, "name": f"p{n}", "title": f"部门{n}", "today": n, "sign": "good"} for n in range(60)]
    many[3]["sign"] = "bad"

    map_ = drawn(many)

    names = [box["name"] for box in map_["boxes"]]
    assert len(names) == 12
    assert "p3" in names
    assert names[-1] == ""
    assert map_["boxes"][-1]["count"] == 49
    assert sum(box["today"] for box in map_["boxes"]) == sum(range(60))
    assert all(0 <= box["y"] <= map_["height"] - 34 for box in map_["boxes"])

"""Pages to look things up: coverage, the standard, parties and adapters, reconciliations, calendars."""

from __future__ import annotations

import re
from datetime import date

import pytest

from hub import fill, handbook
from hub.fill import EMPTY, cells
from hub.ledger.reconciliations import Difference, Outcome
from standards.registry import built_in
from tests.hub.cases.test_month import rows
from tests.hub.tasks.test_journeys import Province
from tests.monitor.test_console import Browser, city  # noqa: F401 - a fixture


def test_the_matrix_tells_fill_and_validity_of_each_data_set_and_party(city: Province) -> None:  # noqa: F811
    good, bad = rows("punish_action", 3), rows("punish_action", 1, punish_accord="")
    sender = city.client("ecology")
    sender.post("/v1/submissions?connection=plain&wait=20&name=a.json", json=good + bad)
    operator = Browser(city, "").log_in()

    page = operator.get("coverage")

    shown = re.search(
        r"行政处罚行为</a></th><td><span class=\"bad\">✕ 75.0%</span> <span class=\"quiet\">填报率 ([0-9.]+)%", page
    )
    assert shown, page[-3000:]
    musts = sum(e.need == "must" for e in built_in().dataset("punish_action").from_sender)
    assert float(shown[1]) == pytest.approx(100 * (1 - 1 / (4 * musts)), abs=0.1)
    elements = operator.get("coverage/plain")
    assert re.search(r"punish_accord</span></td><td>[^<]*</td><td>[^<]*</td><td class=\"n warn\">! 75.0%", elements)
    assert "改正" not in elements
    own = Browser(city, "market").log_in()
    assert "行政处罚行为</a></th>" not in own.get("coverage"), "a party sees its own"
    assert own.client.get("/sender/coverage/plain").status_code == 403


def test_cells_count_repeats_for_neither_side_and_stand_with_the_worst_first() -> None:
    counts = fill.Counter(
        {
            ("a", "x", "read"): 10,
            ("a", "x", "accepted"): 4,
            ("a", "x", "rejected"): 1,
            ("a", "x", "duplicate"): 5,
            ("a", "x", EMPTY): 5,
            ("b", "x", "read"): 4,
            ("b", "x", "rejected"): 4,
        }
    )

    worst, other = cells(counts, {"x": 5})

    assert (worst.party, worst.validity, worst.fill) == ("b", 0, 1)
    assert other.validity == 0.8
    assert other.fill == pytest.approx(0.9)


def test_the_standard_is_looked_through_by_words_in_both_rooms(city: Province) -> None:  # noqa: F811
    for browser in (Browser(city, "").log_in(), Browser(city, "market").log_in()):
        root = f"/{browser.room}/standards"
        everything = browser.get("standards")
        assert f'href="{root}/punish_action"' in everything
        found = browser.get("standards?q=案件来源")
        assert f'href="{root}/punish_action#case_source"' in found
        page = browser.get("standards/punish_action")
        assert 'id="case_source"' in page
        (codes,) = set(
            re.findall(rf'href="{root}/lists/([a-z0-9_A-Z]+)"', page.split('id="case_source"')[1].split("</tr>")[0])
        )
        listed = browser.get(f"standards/lists/{codes}")
        assert all(one.name in listed for one in built_in().codelist(codes).codes)
        assert "没有找到" in browser.get("standards?q=zzzz")
        assert browser.client.get(f"{root}/nothing").status_code == 404
        assert str(date.today().year) in browser.get("standards/calendar")  # noqa: DTZ011 - the clock of the wall


def test_every_word_asked_for_must_be_found() -> None:
    standard = built_in()
    some = handbook.found(standard, "处罚 日期", "zh")["elements"]
    assert some
    assert all("处罚" in one["title"] or "日期" in one["title"] for one in some)
    assert not handbook.found(standard, "", "zh")["elements"]
    assert len(handbook.found(standard, "", "zh")["datasets"]) == len(standard.ids())


def test_parties_and_adapters_are_told_as_the_settings_have_them(city: Province) -> None:  # noqa: F811
    operator = Browser(city, "").log_in()
    page = operator.get("parties")
    assert "大同市生态环境局" in page
    assert re.search(
        r'href="/console/flows/from/ecology-penalties">[^<]+</a></td><td>行政处罚行为</td><td class="good">上线', page
    )
    page = operator.get("adapters")
    assert re.search(r"<td>rest_push</td>.*?/console/flows/to/province", page)
    assert Browser(city, "market").log_in().client.get("/sender/parties").status_code == 404


def test_a_comparison_is_told_with_its_differing_records_and_leads_to_them(city: Province) -> None:  # noqa: F811
    (row,) = rows("punish_action", 1)
    city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=[row])
    hub = city.running.hub
    desk = hub.reconciliations()
    from sqlalchemy import select

    from hub.ledger.tables import record_head

    with hub.ledger.read() as connection:
        head = connection.execute(select(record_head)).one()
    differs = Difference("missing", head.cd_id, head.owner, bytes(head.key_hash), head.bucket, "ecology")
    desk.keep(
        Outcome(
            way="hub",
            counterpart="province",
            dataset="punish_action",
            ours={"records": 1},
            theirs={"records": 0},
            agrees=False,
            missing=1,
            differences=(differs,),
        ),
        "test",
    )
    operator = Browser(city, "").log_in()

    page = operator.get("reconciliations")

    (link,) = re.findall(r'href="/console/(reconciliations/[0-9a-f-]+)"', page)
    assert "✕ 不一致" in page
    one = operator.get(link)
    (record,) = re.findall(r'href="/console/(records/of/[0-9a-f]{32})"', one)
    told = operator.client.get(f"/console/{record}")
    assert "历次修订" in told.text
    assert re.search(r"/console/records/[0-9-]+/1$", str(told.url))
    assert link in Browser(city, "ecology").log_in().get("reconciliations")
    market = Browser(city, "market").log_in()
    assert link not in market.get("reconciliations")
    assert market.client.get(f"/sender/{link}").status_code == 404
    assert market.client.get(f"/sender/{record}").status_code == 404

"""Search, and a record's page: its whole way, masked as the viewer's rights say, each look in the journal."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from adapters.formats.base import ReadOptions
from hub.ledger import credentials, lists, submissions
from hub.ledger.tables import journal
from hub.records.raw import row_of
from standards.rights import Right
from tests.hub.cases.test_month import rows
from tests.hub.city import City, running, until
from tests.hub.tasks.test_journeys import Province
from tests.hub.test_replay import penalties
from tests.monitor.test_console import Browser, city  # noqa: F401 - a fixture


def looks(city: Province, action: str) -> list[dict[str, object]]:  # noqa: F811
    with city.running.hub.ledger.read() as connection:
        found = connection.execute(select(journal.c.detail).where(journal.c.action == action).order_by(journal.c.id))
        return [json.loads(one) for one in found.scalars()]


def with_rights(city: Province, *rights: Right) -> Browser:  # noqa: F811
    browser = Browser(city, "")
    hub = city.running.hub
    words = [str(one) for one in rights]
    browser.key = hub.ledger.write(lambda c: credentials.make(c, "", hub.clock.now(), by="test", rights=words))[1]
    return browser.log_in()


def test_a_record_is_told_from_the_sent_row_to_the_receipt_and_masked_as_rights_say(
    city: Province,  # noqa: F811
) -> None:
    said = city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=20&name=b.csv", content=penalties(3)
    )
    number = said.json()["receipt_no"]
    operator = Browser(city, "").log_in()
    assert f'href="/console/records/{number}/2"' in operator.get(f"submissions/{number}")

    page = operator.get(f"records/{number}/2")

    assert "网格上报" in page, "as it was sent"
    assert re.search(r"<mark>✕ 网格上报</mark>", page), "the faulty place is marked, not by colour alone"
    assert re.search(r"<ins>\d{4}-\d{2}-\d{2}</ins>", page), "what the mapping changed"
    assert "按今天的规则" in page
    assert "10005" in page.split("按今天的规则")[1].split("<h2>")[0]
    answer = {"mapping": "demo_ecology/punish_action", "name": "案件来源", "source": "网格上报", "code": "4"}
    city.client("").post("/v1/crosswalks", json=answer)
    assert "今天会通过" in operator.get(f"records/{number}/2")
    plain = with_rights(city, Right.SEE)
    assert "网格上报" not in plain.get(f"records/{number}/2").split("<h2>")[2]
    assert "没有查看内容的权限" in plain.get(f"records/{number}/2")
    bodies = with_rights(city, Right.SEE, Right.BODIES)
    assert bodies.client.get(f"/console/records/{number}/2?full=1").status_code == 403
    assert "完整显示" not in bodies.get(f"records/{number}/2")
    operator.get(f"records/{number}/2?full=1")
    found = looks(city, "record_looked_at")
    assert {str(one["sees"]) for one in found} == {"nothing", "masked", "full"}
    other = Browser(city, "market").log_in()
    assert other.client.get(f"/sender/records/{number}/2").status_code == 404
    assert "逐项对照" in Browser(city, "ecology").log_in().get(f"records/{number}/2"), "a party sees its own"
    assert operator.client.get(f"/console/records/{number}/9").status_code == 404


def test_the_number_of_a_person_is_masked_until_somebody_with_the_right_asks_for_it(city: Province) -> None:  # noqa: F811
    person = "140202199001011237"
    (row,) = rows("punish_action", 1, administrative_cp_ce_type="111", administrative_cp_ui_code=person)
    said = city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=[row])
    operator = Browser(city, "").log_in()
    path = f"records/{said.json()['receipt_no']}/1"

    masked, full = operator.get(path), operator.get(f"{path}?full=1")

    assert person not in masked
    assert "140202********1237" in masked
    assert full.count(person) >= 2, "as sent and as mapped"


def test_an_accepted_record_shows_its_revisions_attempts_and_the_receipt(city: Province) -> None:  # noqa: F811
    (row,) = rows("punish_action", 1)
    sender = city.client("ecology")
    first = sender.post("/v1/submissions?connection=plain&wait=20&name=a.json", json=[row]).json()["receipt_no"]
    until(lambda: city.running.hub.receipts.state(first) == "settled")
    second = sender.post(
        "/v1/submissions?connection=plain&wait=20&name=b.json", json=[{**row, "illegal_fact": "改正后的事实"}]
    ).json()["receipt_no"]
    until(lambda: city.running.hub.receipts.state(second) in ("judged", "settled"))
    operator = Browser(city, "").log_in()

    page = operator.get(f"records/{first}/1")

    revisions = page.split("历次修订")[1]
    assert re.findall(r'<td class="n">(\d)</td><td><a href="/console/records/([0-9-]+)/1"', revisions) == [
        ("2", second),
        ("1", first),
    ]
    assert re.search(r'<td class="n">1</td><td class="at">20[^<]+</td><td class="n">[\d,]+</td><td>answered', page)
    assert re.search(r"回执 · 20[^<]+</th>", page)
    assert "/console/flows/to/province" in page


def test_records_are_found_by_number_key_and_subject_and_what_was_typed_stands_nowhere(
    city: Province,  # noqa: F811
) -> None:
    (row,) = rows("punish_action", 1)
    key = next(iter(row.values()))
    hub = city.running.hub
    dataset = hub.generations.current().standard.dataset("punish_action")
    key = "|".join(str(row[name]) for name in dataset.natural_key)
    subject = str(row[str(dataset.subject.code)])
    number = (city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=[row]).json())[
        "receipt_no"
    ]
    operator = Browser(city, "").log_in()
    page = operator.get("search")
    link = f'href="/console/records/{number}/1"'

    by_key = operator.send("search", page, what=key, by="key")
    by_subject = operator.send("search", page, what=subject, by="subject")
    by_number = operator.send("search", page, what=number)
    by_row = operator.send("search", page, what=f"{number}#1")

    assert link in by_key.text
    assert link in by_subject.text
    assert link in operator.send("search", page, what=key).text
    assert str(by_number.url).endswith(f"/console/submissions/{number}")
    assert str(by_row.url).endswith(f"/console/records/{number}/1")
    assert "?" not in str(by_key.url)
    assert "没有找到" in operator.send("search", page, what="nothing like it").text
    told = looks(city, "records_searched")
    assert len(told) >= 4
    assert key not in json.dumps(told, ensure_ascii=False)
    assert subject not in json.dumps(told)


def test_hand_overs_are_listed_page_by_page_by_what_is_chosen(tmp_path: Path) -> None:
    for city_ in running(tmp_path):
        kept = [city_.submit(penalties(1), external_id=f"x{n}") for n in range(7)]
        other = city_.submit(b"{ no json", connection="market-penalties")
        for one in (*kept, other):
            city_.judged(one)
        now = city_.hub.clock.now()
        with city_.hub.ledger.read() as connection:

            def numbers(now: datetime = now, **words: object) -> list[str]:
                found: list[str] = []
                before = None
                while True:
                    page = lists.page(connection, lists.Wanted(**words), now, before=before, limit=3)  # type: ignore[arg-type]
                    found += [one.receipt_no for one in page.rows]
                    before = page.more
                    if before is None:
                        return found

            newest = [one.receipt_no for one in reversed(kept)]
            assert numbers() == [other.receipt_no, *newest]
            assert numbers(party="ecology") == newest
            assert numbers(party="ecology", connection="checks") == []
            assert numbers(since=now + timedelta(hours=1)) == []
            assert numbers(until=now - timedelta(hours=1)) == []
            assert numbers(since=now - timedelta(hours=1), until=now + timedelta(hours=1)) == numbers()
            assert numbers(state="stalled") == []
            assert lists.newest(connection, "market") is not None


@pytest.mark.parametrize("lines", [3, 5000])
def test_a_row_is_read_again_from_the_middle_of_the_file(tmp_path: Path, lines: int) -> None:
    for city_ in running(tmp_path):
        kept = city_.submit(penalties(lines))
        city_.judged(kept)
        _check_last_row(city_, kept.receipt_no, lines)


def _check_last_row(city_: City, number: str, lines: int) -> None:
    from hub.records.story import FULL, Stories

    hub = city_.hub
    with hub.ledger.read() as connection:
        stored = submissions.by_receipt(connection, number)
    assert stored is not None
    whole = row_of(hub.ledger, hub.seal, stored, ReadOptions(), lines)
    stories = Stories(hub.ledger, hub.generations, hub.clock, hub.seal, hub.receipts)
    told = stories.of(number, lines, sees=FULL)
    assert whole is not None
    assert {one["name"]: one["value"] for one in told["raw"]} == {n: c[0] for n, c in whole.columns.items()}
    assert told["missing"] == ""

"""The sender's window: a record typed in, a workbook mended, what was sent and what is due."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import submissions
from tests.hub.cases.test_month import rows
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Province
from tests.monitor.test_console import EXTRA, Browser
from tests.receiver import Receiver


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path_factory.mktemp("sender") / "hub.toml"
    path.write_text(config(receiver.url, more=EXTRA), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


@pytest.fixture(scope="module")
def sender(city: Province) -> Browser:
    return Browser(city, "market").log_in()


def form_of(page: str) -> dict[str, str]:
    """The hidden words of the entry form on a page."""
    found = re.search(r'<form class="sheet".*?</form>', page, re.DOTALL)
    assert found, page[:2000]
    return dict(re.findall(r'type="hidden" name="(form|mends)" value="([^"]*)"', found[0]))


def typed(row: dict[str, str]) -> dict[str, str]:
    return {f"e.{name}": value for name, value in row.items()}


def counts(city: Province, receipt: str) -> dict[str, int]:
    until(lambda: city.running.hub.receipts.state(receipt) in ("judged", "settled"))
    view = city.running.hub.receipts.receipt(receipt)
    assert view is not None
    found: dict[str, int] = view.document["counts"]
    return found


def test_a_record_is_typed_in_its_faults_come_all_at_once_and_nothing_is_kept_before_they_are_mended(
    city: Province, sender: Browser
) -> None:
    page = sender.get("entry")
    assert 'href="/sender/entry/punish_action"' in page
    assert "check_action" not in page, "of another party"
    page = sender.get("entry/punish_action")
    dataset = city.running.hub.generations.current().standard.dataset("punish_action")
    assert set(re.findall(r'name="e\.([a-z_]+)"', page)) == {e.id for e in dataset.from_sender}
    (row,) = rows("punish_action", 1)
    wrong = {**row, "set_date": "不详", "fine": "一万", "area_number": "1"}
    before = len(listed(city))

    said = sender.send("entry/punish_action", page, step="hand_over", **form_of(page), **typed(wrong))

    assert said.status_code == 200
    for element in ("set_date", "fine", "area_number"):
        assert f'<a href="#f-{element}">' in said.text, "all at once"
        assert re.search(rf'id="e-{element}"[^>]*aria-invalid="true"', said.text)
    assert 'value="不详"' in said.text, "what was typed stays"
    assert len(listed(city)) == before, "nothing was kept"
    words = form_of(said.text)
    checked = sender.send("entry/punish_action", page, step="check", **words, **typed(row))
    assert "没有发现问题" in checked.text
    assert len(listed(city)) == before

    said = sender.send("entry/punish_action", page, step="hand_over", **words, **typed(row))
    again = sender.send("entry/punish_action", page, step="hand_over", **words, **typed(row))

    receipt = str(said.url).partition("?")[0].rpartition("/")[2]
    assert str(again.url) == str(said.url), "a double click is one hand-over"
    assert counts(city, receipt)["accepted"] == 1
    stored = {one.receipt_no: one for one in listed(city)}[receipt]
    assert stored.connection == "market-penalties"
    assert stored.report_way == "0", "手动录入"
    until(lambda: any(parcel_ways(city, row["punish_action_code"])))
    assert parcel_ways(city, row["punish_action_code"]) == ["0"]


def listed(city: Province) -> list[submissions.Submission]:
    with city.running.hub.ledger.read() as connection:
        return list(submissions.listed(connection, party="market"))


def parcel_ways(city: Province, code: str) -> list[str]:
    """How the province was told that a record was reported."""
    held = list(city.receiver.contents.values())
    return [one["report_way"] for one in held if one.get("punish_action_code") == code]


def test_a_rejected_record_is_mended_from_its_receipt_and_both_receipts_name_each_other(
    city: Province, sender: Browser
) -> None:
    good, bad = rows("punish_action", 12)[10:]
    body = [good, {**bad, "set_date": "不详"}]
    said = city.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=a.json", json=body)
    receipt = said.json()["receipt_no"]
    page = sender.get(f"submissions/{receipt}")
    assert f'href="/sender/submissions/{receipt}/records/2"' in page
    assert f'href="/sender/submissions/{receipt}/records/1"' not in page, "that one passed"

    page = sender.get(f"submissions/{receipt}/records/2")

    assert f'value="{bad["punish_action_code"]}"' in page
    assert 'value="不详"' in page
    assert '<a href="#f-set_date">' in page
    mended = sender.send("entry/punish_action", page, step="hand_over", **form_of(page), **typed(bad))
    later = str(mended.url).partition("?")[0].rpartition("/")[2]
    assert counts(city, later)["accepted"] == 1
    assert later in sender.get(f"submissions/{receipt}")
    shown = html.unescape(re.sub(r"<[^>]+>", "", sender.get(f"submissions/{later}")))
    assert receipt in shown
    assert re.search(r"已改正\D*1\b", shown)
    assert sender.client.get(f"/sender/submissions/{receipt}/records/7").status_code == 404
    other = Browser(city, "ecology").log_in()
    assert other.client.get(f"/sender/submissions/{receipt}/records/2").status_code == 404


def test_an_own_record_is_found_by_its_key_changed_and_deleted_and_a_stranger_s_is_not_there(
    city: Province, sender: Browser
) -> None:
    (row,) = rows("punish_action", 20)[19:]
    city.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=a.json", json=[row])
    page = sender.get("entry/punish_action")
    key = {"e.punish_action_code": row["punish_action_code"]}
    found = sender.send("entry/punish_action/find", page, **key)
    assert f'value="{row["punish_action_name"]}"' in found.text
    said = sender.send(
        "entry/punish_action", page, step="hand_over", **form_of(found.text), **typed({**row, "penalty_result": "改过"})
    )
    assert counts(city, str(said.url).partition("?")[0].rpartition("/")[2])["accepted"] == 1
    assert "改过" in sender.send("entry/punish_action/find", page, **key).text

    unsure = sender.send("entry/punish_action/delete", page, **key)
    assert "没有删除" in unsure.text
    said = sender.send("entry/punish_action/delete", page, sure="yes", **key)

    assert counts(city, str(said.url).partition("?")[0].rpartition("/")[2])["accepted"] == 1
    gone = sender.send("entry/punish_action/find", page, **key)
    assert gone.status_code == 404
    (others,) = rows("punish_action", 21)[20:]
    city.client("ecology").post("/v1/submissions?connection=plain&wait=20&name=a.json", json=[others])
    foreign = sender.send("entry/punish_action/find", page, **{"e.punish_action_code": others["punish_action_code"]})
    assert foreign.status_code == 404
    with city.running.hub.ledger.read() as connection:
        looks = connection.exec_driver_sql(
            "SELECT count(*) FROM journal WHERE action = 'record_looked_at' AND actor <> ''"
        ).scalar_one()
    assert looks >= 2, "each look is written down"

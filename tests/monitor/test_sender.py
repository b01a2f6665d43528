"""The sender's window: a record typed in, a workbook mended, what was sent and what is due."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator

import pytest
from openpyxl import load_workbook

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import submissions
from standards.exports import workbook as template
from standards.registry import built_in
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


def workbook(rows_: list[dict[str, str]]) -> bytes:
    dataset = built_in().dataset("punish_action")
    return template.export(dataset, built_in(), rows_)


def upload(sender: Browser, page: str, content: bytes, name: str, **words: str) -> str:
    """Hand a workbook over; the receipt's number."""
    token = re.search(r'name="token" value="([0-9a-f]+)"', page)
    assert token
    said = sender.client.post(
        "/sender/submissions",
        data={"token": token[1], "connection": "market-penalties", **words},
        files={"file": (name, content)},
    )
    assert said.status_code == 200, said.text[:500]
    return str(said.url).rpartition("/")[2]


def test_a_workbook_comes_back_marked_goes_in_mended_and_the_new_receipt_tells_which_faults_are_gone(
    city: Province, sender: Browser
) -> None:
    good, bad, worse = rows("punish_action", 33)[30:]
    right = (bad["set_date"], worse["set_date"])
    bad, worse = {**bad, "set_date": "不详"}, {**worse, "set_date": "不详", "fine": "一万"}
    first = upload(sender, sender.get("submissions"), workbook([good, bad, worse]), "处罚.xlsx")
    assert counts(city, first)["rejected"] == 2
    page = sender.get(f"submissions/{first}")
    assert f'name="mends" value="{first}"' in page, "the mended file goes in from here"
    marked = load_workbook(io.BytesIO(sender.client.get(f"/sender/submissions/{first}/marked.xlsx").content))
    sheet = marked.worksheets[0]
    column = next(cell.column for cell in sheet[2] if cell.value == "set_date")
    assert sheet.cell(4, column).value == "不详"
    sheet.cell(4, column).value, sheet.cell(5, column).value = right
    held = io.BytesIO()
    marked.save(held)

    second = upload(sender, page, held.getvalue(), "处罚.xlsx", mends=first)

    assert counts(city, second)["rejected"] == 1, "the fine of the third is still wrong"
    shown = plain(sender.get(f"submissions/{second}"))
    assert f"改正自 {first}" in shown
    assert "已改正 2" in shown
    assert "仍未改正的记录 1：" in shown
    assert f"已改正重报 {second}" in plain(sender.get(f"submissions/{first}"))
    stranger = Browser(city, "ecology").log_in()
    token = re.search(r'name="token" value="([0-9a-f]+)"', stranger.get("submissions"))
    assert token
    refused = stranger.client.post(
        "/sender/submissions",
        data={"token": token[1], "connection": "plain", "mends": first},
        files={"file": ("a.json", b"[]")},
    )
    assert refused.status_code == 404, "nobody mends somebody else's"


def plain(page: str) -> str:
    """What a page says."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def test_hand_overs_are_found_by_state_file_name_and_day_page_by_page(city: Province, sender: Browser) -> None:
    (row,) = rows("punish_action", 41)[40:]
    for number in range(60):
        name = f"分页{number % 2}-{number}.json"
        city.client("market").post(f"/v1/submissions?connection=market-penalties&name={name}", json=[row])
    path = "submissions?name=分页0"
    page = sender.get(path)
    assert len(re.findall(r"分页0-\d+", page)) == 30
    assert "分页1-" not in page
    seen: list[str] = []
    path = "submissions?name=分页"
    while path:
        page = sender.get(path)
        seen += re.findall(r"分页\d-\d+", page)
        more = re.search(r'href="/sender/(submissions\?[^"]*before=[^"]*)"', page)
        path = html.unescape(more[1]) if more else ""
    assert len(seen) == len(set(seen)) == 60
    assert seen == sorted(seen, key=lambda name: -int(name.partition("-")[2])), "the newest first"
    assert "分页" not in sender.get("submissions?until=2020-01-01")
    until(lambda: "处理中" not in sender.get("submissions?name=分页").split("<table>")[1])
    assert "分页" not in plain(sender.get("submissions?which=faulty&name=分页")).partition("重复")[2]
    assert sender.client.get("/sender/submissions?since=soon").status_code == 422


def test_the_first_page_tells_what_was_sent_what_failed_and_why_what_is_due_and_the_standing(
    city: Province, sender: Browser
) -> None:
    (bad,) = rows("punish_action", 51, set_date="没有日期")[50:]
    city.client("market").post("/v1/submissions?connection=market-penalties&wait=20&name=a.json", json=[bad])
    city.running.hub.cases().expect()

    page = plain(sender.get())

    assert re.search(r"行政处罚行为 今日 \d+ \d+", page)
    assert re.search(r"行政处罚行为 \d+ 如 .*“处罚决定日期”的值“[^”]*”不是有效日期", page), "why, in words"
    assert "请填写真实存在的日期" in page, "and how to mend it"
    assert "未报送 监管动态与曝光台" in page
    assert re.search(r"监管动态与曝光台 \d{4}-\d\d-01 – \d{4}-\d\d-\d\d 1 0", page), "still to be reported"
    until(lambda: "得分" in sender.get())
    assert re.search(r"名次 \d+ / \d+", plain(sender.get()))
    english = sender.client.get("/sender/language?to=en")
    assert "My reporting" in english.text
    sender.client.get("/sender/language?to=zh")
    assert "is not a valid date" in plain(english.text)


def test_templates_a_filled_sample_and_the_handbook_are_there_for_every_data_set_of_the_party(
    city: Province, sender: Browser
) -> None:
    page = sender.get("templates")
    mine = {
        city.running.hub.generations.current().dataset_of(name)
        for name, said in city.running.hub.generations.current().settings.connections.items()
        if said.party == "market"
    }
    assert set(re.findall(r"template\.xlsx\?dataset=([a-z_]+)", page)) == mine
    book = load_workbook(io.BytesIO(sender.client.get("/sender/sample.xlsx?dataset=punish_action").content))
    assert book.worksheets[0].max_row >= 5
    said = city.client("market").post(
        "/v1/judge?connection=market-penalties&name=a.xlsx",
        content=sender.client.get("/sender/sample.xlsx?dataset=punish_action").content,
    )
    assert said.json()["counts"] == {"read": 3, "accepted": 3, "rejected": 0, "held": 0}, "a sample is a good one"
    handbook = plain(sender.get("handbook?dataset=punish_action"))
    assert "处罚决定日期" in handbook
    assert "01 警告" in handbook

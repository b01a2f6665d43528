"""Sharing by grant: what is not granted never leaves, in any channel, and every look is written down."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from hub import serve
from hub.bootstrap import prepare
from hub.ledger import grants as stored_grants
from hub.ledger.tables import case_
from standards.clock import local
from standards.registry import built_in
from standards.samples import valid_records
from standards.states import CaseClass
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Json, Province
from tests.receiver import Receiver

MORE = """
[connections.ecology-plain]
party = "ecology"
dataset = "punish_action"

[connections.market-objects]
party = "market"
dataset = "supervise_object"

[connections.ecology-objects]
party = "ecology"
dataset = "supervise_object"

[parties.credit]
title = "大同市信用平台"
code = "11140200PBX1F1BY6T"

[destinations.to-credit]
party = "credit"
adapter = "mailbox"
direction = "across"
shared = true
"""
PUNISH = "punish_action"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url, more=MORE), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


def penalties(count: int) -> list[Json]:
    return list(valid_records(built_in().dataset(PUNISH), built_in(), count))


def report(city: Province, rows: list[Json], connection: str = "ecology-plain", party: str = "ecology") -> None:
    said = city.client(party).post(f"/v1/submissions?connection={connection}&wait=30&name=a.json", json=rows)
    assert said.json()["counts"]["accepted"] == len(rows), said.text[:3000]


def grant(city: Province, *elements: str, consent: bool = True, **changes: Any) -> Json:
    until_ = local(city.running.hub.clock.now() + timedelta(days=30)).isoformat()
    words = {
        "owner": "ecology",
        "receiver": "credit",
        "dataset": PUNISH,
        "elements": list(elements),
        "purpose": "信用修复核查",
        "until": until_,
    }
    made = city.client("").post("/v1/grants", json={**words, **changes})
    assert made.status_code == 201, made.text
    one: Json = made.json()
    if consent:
        said = city.client("ecology").post(f"/v1/grants/{one['id']}/consent", json={"named": "赵主任"})
        assert said.json()["counts"], said.text
    return one


def ask(city: Province, party: str = "credit", **words: Any) -> Any:
    body = {"dataset": PUNISH, "purpose": "核查某企业", **words}
    return city.client(party).post("/v1/records/query", json=body)


def test_a_grant_without_purpose_consent_or_time_opens_nothing(city: Province) -> None:
    report(city, penalties(3))
    refused = city.client("").post(
        "/v1/grants",
        json={
            "owner": "ecology",
            "receiver": "credit",
            "dataset": PUNISH,
            "purpose": " ",
            "until": "2099-01-01T00:00:00",
        },
    )
    assert (refused.status_code, refused.json()["code"]) == (422, "bad-grant")
    assert "用途" in refused.json()["detail"]
    assert city.client("credit").post("/v1/grants", json={}).status_code in (403, 422)

    assert ask(city).status_code == 403
    one = grant(city, consent=False)
    waiting = ask(city)
    assert waiting.status_code == 403
    assert "尚未同意" in waiting.json()["detail"]
    other = city.client("market").post(f"/v1/grants/{one['id']}/consent", json={"named": "x"})
    assert other.status_code == 404, "neither owner nor receiver: there is no such grant"
    assert city.client("credit").post(f"/v1/grants/{one['id']}/consent", json={"named": "x"}).status_code == 403
    city.client("ecology").post(f"/v1/grants/{one['id']}/consent", json={"named": "赵主任"})
    assert len(ask(city).json()["records"]) == 3
    assert ask(city, purpose=" ").status_code == 422

    hub = city.running.hub
    from uuid import UUID

    hub.ledger.write(
        lambda c: stored_grants.change(c, UUID(one["id"]), until_at=hub.clock.now() - timedelta(seconds=1))
    )
    late = ask(city)
    assert late.status_code == 403
    assert "到期" in late.json()["detail"]


def test_only_granted_elements_are_seen_and_the_owner_sees_every_look(city: Province) -> None:
    rows = penalties(5)
    report(city, rows)
    dataset = built_in().dataset(PUNISH)
    subject = dataset.subject.code or ""
    grant(city, "punish_action_name", "set_date", subject)
    wanted = next(r[subject] for r in rows if r.get(subject))

    seen = ask(city, subjects=[wanted]).json()["records"]

    allowed = {"punish_action_name", "set_date", subject, *dataset.natural_key}
    assert seen
    assert all(set(one["values"]) <= allowed for one in seen)
    key = [rows[0][name] for name in dataset.natural_key]
    (by_key,) = ask(city, keys=[key]).json()["records"]
    assert by_key["values"]["punish_action_name"] == rows[0]["punish_action_name"]
    looks = city.client("ecology").get("/v1/looks").json()
    assert [(one["party"], one["way"], one["count"]) for one in looks] == [
        ("credit", "query", 1),
        ("credit", "query", len(seen)),
    ]
    assert looks[0]["purpose"] == "核查某企业"
    assert looks[0]["records"] == [by_key["cd_id"]]
    assert city.client("market").get("/v1/looks").json() == [], "others see looks at their own data only"


def test_a_page_goes_on_where_the_last_one_ended_and_newer_revisions_count(city: Province) -> None:
    rows = penalties(30)
    for start in range(0, 30, 10):
        report(city, rows[start : start + 10])
    report(city, [{**rows[0], "illegal_fact": "改正后的事实"}])
    grant(city, "illegal_fact")
    found: list[Json] = []
    cursor = ""
    for _ in range(10):
        page = ask(city, cursor=cursor, limit=10).json()
        found += page["records"]
        cursor = page["cursor"]
        if not cursor:
            break
    assert len({one["cd_id"] for one in found}) == len(found) == 30
    assert "改正后的事实" in {one["values"].get("illegal_fact") for one in found}
    assert ask(city, cursor="x").status_code == 422


def test_exports_hold_the_same_in_every_form(city: Province) -> None:
    report(city, penalties(20))
    grant(city, "illegal_fact")
    body = {"dataset": PUNISH, "purpose": "统计"}
    client = city.client("credit")
    lines = client.post("/v1/records/export?form=ndjson", json=body).text.splitlines()
    facts = {json.loads(line)["values"]["illegal_fact"] for line in lines}
    assert len(lines) == 20
    text = client.post("/v1/records/export?form=csv", json=body).content.decode("utf-8-sig")
    assert text.count("\n") == 21
    book = load_workbook(io.BytesIO(client.post("/v1/records/export?form=xlsx", json=body).content))
    sheet = book.worksheets[0]
    titles = [cell.value for cell in sheet[1]]
    column = titles.index("违法事实") + 1
    assert {sheet.cell(row, column).value for row in range(2, 22)} == facts
    forbidden = built_in().dataset(PUNISH).by_id["penalty_result"].title
    assert forbidden not in titles
    assert forbidden not in text
    assert sum(one["count"] for one in city.client("ecology").get("/v1/looks").json() if one["way"] == "export") == 60


def test_a_list_of_firms_comes_back_with_what_is_known_of_each(city: Province) -> None:
    rows = penalties(6)
    report(city, rows)
    grant(city, "illegal_fact")
    code = built_in().dataset(PUNISH).subject.code or ""
    firms = [rows[0][code], rows[1][code], "91140200YNPT2E2Q8A", "91140200YNPT2E2Q8B"]
    book = Workbook()
    sheet = book.worksheets[0]
    sheet.append(["企业名称", "统一社会信用代码"])
    for number, firm in enumerate(firms):
        sheet.append([f"企业{number}", firm])
    held = io.BytesIO()
    book.save(held)
    path = f"/v1/records/batch?purpose=%E8%A1%A5%E8%B4%B4&dataset={PUNISH}&name=l.xlsx"
    answer = city.client("credit").post(path, content=held.getvalue())
    assert answer.status_code == 200, answer.text[:500]
    found = load_workbook(io.BytesIO(answer.content))
    lines = [[cell.value for cell in row] for row in found["清单"].iter_rows(min_row=2)]
    assert [(line[1], line[2]) for line in lines] == [
        (firms[0], "正确"),
        (firms[1], "正确"),
        (firms[2], "正确"),
        (firms[3], "有误"),
    ]
    assert int(lines[0][3]) >= 1
    assert int(lines[2][3]) == 0
    nothing = city.client("credit").post(path, content=b"a,b\n1,2\n", headers={"content-type": "text/csv"})
    assert nothing.status_code == 422


def test_a_subscription_delivers_new_records_cut_to_the_grant_and_an_ended_grant_stops_what_waits(
    city: Province,
) -> None:
    one = grant(city, "illegal_fact", rule="illegal_fact != ''")
    wrong = city.client("credit").post("/v1/subscriptions", json={"grant": one["id"], "destination": "province"})
    assert wrong.status_code == 422
    said = city.client("credit").post("/v1/subscriptions", json={"grant": one["id"], "destination": "to-credit"})
    assert said.json()["subscribed"] == "to-credit", said.text
    report(city, penalties(4))

    parcels: list[Json] = []
    until(lambda: bool(parcels.extend(city.client("credit").get("/v1/mailbox").json()) or parcels))
    records = [r for p in parcels for r in p["event"]["data"]["records"]]
    allowed = {"illegal_fact", *built_in().dataset(PUNISH).natural_key}
    assert len(records) == 4
    assert all(set(r["content"]) <= allowed for r in records)
    text = json.dumps(parcels, ensure_ascii=False)
    assert all(row["penalty_result"] not in text for row in penalties(4) if row.get("penalty_result"))

    city.client("ecology").post(f"/v1/grants/{one['id']}/end", json={"reason": "不再需要"})
    assert city.client("credit").get("/v1/mailbox").json() == [], "what waits stays here"


def test_the_file_of_a_subject_names_each_source_and_opens_what_contradicts(city: Province) -> None:
    first = next(iter(valid_records(built_in().dataset("supervise_object"), built_in(), 1)))
    punish = {**penalties(1)[0], "address_registered": "云冈区和平街 1 号"}
    code = punish[built_in().dataset(PUNISH).subject.code or ""]
    report(city, [{**first, "object_code": code, "dom": "平城区迎宾街 12 号"}], "market-objects", "market")
    report(city, [punish])

    file = city.client("").post("/v1/subjects/query", json={"code": code, "purpose": "值班核查"}).json()

    assert {one["dataset"] for one in file["timeline"]} == {"supervise_object", PUNISH}
    (conflict,) = [one for one in file["conflicts"] if one["element"] == "address"]
    values = {conflict["holds"]["value"], *(one["value"] for one in conflict["differs"])}
    assert values == {"平城区迎宾街 12 号", "云冈区和平街 1 号"}
    with city.running.hub.ledger.read() as connection:
        opened = connection.execute(case_.select().where(case_.c.code == "20005")).all()
    assert [row.class_ for row in opened] == [CaseClass.INCONSISTENT], "one record, one case"
    denied = city.client("credit").post("/v1/subjects/query", json={"code": code, "purpose": "x"})
    assert denied.status_code == 403
    looks = city.client("").get("/v1/looks").json()
    assert {one["way"] for one in looks} == {"subject"}

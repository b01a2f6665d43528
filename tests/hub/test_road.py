"""The way of a record, upward, in both broker modes and on both ledgers."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select

from demo.ecology import HEADER, Row, pieces, rows
from hub.ledger import parcels
from hub.ledger.tables import case_, delivery, record
from standards.errors import IdempotencyConflict
from tests.hub import city as cities
from tests.hub.city import City, until

MODES = ("embedded-sqlite", "embedded-postgresql", "rabbitmq-postgresql")


def _urls(request: pytest.FixtureRequest, mode: str) -> dict[str, str]:
    broker, _, database = mode.partition("-")
    return {
        "ledger": request.getfixturevalue("postgres_url") if database == "postgresql" else "",
        "broker": request.getfixturevalue("amqp_url") if broker == "rabbitmq" else "",
    }


@pytest.fixture(params=[pytest.param(m, marks=pytest.mark.contract(suite="road", on=m)) for m in MODES])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    """A city in each mode."""
    yield from cities.running(tmp_path, **_urls(request, request.param))


def csv_of(source: list[Row]) -> bytes:
    return b"".join(pieces(iter(source)))


def test_every_record_is_judged_delivered_once_and_receipted(city: City) -> None:
    source = list(rows(2300, faults=0.03))

    view = city.settled(city.submit(csv_of(source), name="案件.csv"))

    faulty = {row.key: row.fault for row in source if row.fault}
    assert (view.read, view.accepted, view.rejected) == (2300, 2300 - len(faulty), len(faulty))
    good = {row.key for row in source if not row.fault}
    assert set(city.receiver.stored) == {f"{cities.ECOLOGY}-{key}" for key in good}
    assert set(city.receiver.arrivals.values()) == {1}
    assert view.document["deliveries"][0]["states"] == {"accepted": len(good)}
    assert view.document["file"] | {"digest": ""} == {
        "name": "案件.csv",
        "size": len(csv_of(source)),
        "digest": "",
        "format": "csv",
        "encoding": "gb18030",
        "decoded_by": "gb18030",
    }


def test_every_faulty_record_has_its_finding_at_its_place(city: City) -> None:
    source = list(rows(700, faults=0.1))

    view = city.judged(city.submit(csv_of(source)))

    expected = {n: row.fault for n, row in enumerate(source, 1) if row.fault}
    told = {r["row"]: r for r in view.document["records"]}
    assert {n: r["findings"][0]["code"] for n, r in told.items()} == expected
    for number, one in told.items():
        assert one["place"] == f"L{number + 1}"
        said = one["findings"][0]
        assert said["field"] in HEADER
        assert f"第 {number + 1} 行" in said["text"]
        assert said["hint"]
        assert said["text_en"]


def test_the_same_bytes_again_make_nothing_new_and_name_the_receipt_that_holds_them(city: City) -> None:
    source = list(rows(300, faults=0.05))
    faulty = sum(1 for row in source if row.fault)
    first = city.settled(city.submit(csv_of(source)))
    sent = len(city.receiver.parcels)

    again = city.settled(city.submit(csv_of(source)))

    assert (again.accepted, again.duplicate, again.rejected) == (0, 300 - faulty, faulty)
    assert {d["held_by"] for d in again.document["duplicates"]} == {first.receipt_no}
    assert all(d["row"] == d["held_row"] for d in again.document["duplicates"])
    assert len(city.receiver.parcels) == sent


def test_the_same_id_and_bytes_give_the_same_receipt_with_its_present_state(city: City) -> None:
    data = csv_of(list(rows(10)))
    first = city.submit(data, external_id="A-1")
    city.settled(first)

    again = city.submit(data, external_id="A-1")

    assert again.repeated
    assert again.receipt_no == first.receipt_no
    with pytest.raises(IdempotencyConflict):
        city.submit(data + b"\n", external_id="A-1")


def test_a_to_b_to_a_makes_three_revisions(city: City) -> None:
    a, b = list(rows(20)), list(rows(20, edition=2))

    for source in (a, b, a):
        view = city.settled(city.submit(csv_of(source)))
        assert view.accepted == 20

    one = f"{cities.ECOLOGY}-{a[0].key}"
    assert [h for h in city.receiver.history if h[0] == one] == [(one, 1, "i"), (one, 2, "u"), (one, 3, "u")]
    contents = city.receiver.contents
    assert (
        contents[one, 1]["content_digest"] == contents[one, 3]["content_digest"] != contents[one, 2]["content_digest"]
    )


def test_two_contents_of_one_key_in_one_file_are_two_revisions_and_only_the_last_is_sent(city: City) -> None:
    a, b = list(rows(5)), list(rows(5, edition=2))

    view = city.settled(city.submit(csv_of([*a, *b])))

    assert (view.accepted, view.duplicate) == (10, 0)
    assert set(city.receiver.stored.values()) == {2}
    assert set(city.receiver.arrivals.values()) == {1}
    assert view.document["deliveries"][0]["states"] == {"accepted": 5, "superseded": 5}


def test_a_corrected_file_closes_the_cases_that_the_wrong_one_opened(city: City) -> None:
    wrong = list(rows(200, faults=0.1))
    faulty = sum(1 for row in wrong if row.fault)
    city.settled(city.submit(csv_of(wrong)))
    assert open_cases(city) == faulty

    view = city.settled(city.submit(csv_of(list(rows(200)))))

    assert (view.accepted, view.duplicate) == (faulty, 200 - faulty)
    assert open_cases(city) == 0


def open_cases(city: City) -> int:
    with city.hub.ledger.read() as connection:
        return connection.execute(
            select(func.count()).select_from(case_).where(case_.c.closed_at.is_(None))
        ).scalar_one()


def test_every_accepted_record_has_one_delivery_for_each_destination(city: City) -> None:
    source = list(rows(1100, faults=0.02))

    view = city.settled(city.submit(csv_of(source)))

    with city.hub.ledger.read() as connection:
        deliveries = connection.execute(select(delivery.c.row_no, delivery.c.destination)).all()
        accepted = connection.execute(select(record.c.row_no).where(record.c.verdict == "accepted")).scalars().all()
    assert Counter(deliveries) == Counter((n, "province") for n in accepted)
    assert len(accepted) == view.accepted


def test_one_record_pushed_in_the_standards_words_takes_the_same_road(city: City) -> None:
    city.settled(city.submit(csv_of(list(rows(3)))))
    content = next(iter(city.receiver.contents.values()))
    own = {k: v for k, v in content.items() if not k.startswith(("cd_", "content_", "trace_", "dataset_", "provider_"))}
    own["punish_action_code"] = "市监-1"

    view = city.settled(city.submit(json.dumps(own).encode(), "market-penalties"))

    assert (view.read, view.accepted) == (1, 1), view.document
    assert "111402001D22DR363Y-市监-1" in city.receiver.stored


def test_a_key_of_another_owner_is_held_and_becomes_a_case_when_its_time_is_over(city: City) -> None:
    source = list(rows(1))
    city.settled(city.submit(csv_of(source)))
    content = next(iter(city.receiver.contents.values()))
    own = {k: v for k, v in content.items() if k in _own_elements()}

    view = city.judged(city.submit(json.dumps(own).encode(), "market-penalties"))

    assert (view.held, view.accepted) == (1, 0)
    assert view.document["records"][0]["findings"][0]["code"] == "20002"


def _own_elements() -> set[str]:
    from standards.registry import built_in

    return set(built_in().dataset("punish_action").by_id)


def test_what_goes_up_through_the_provincial_department_is_refused_with_the_reason(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    more = (
        f'[[via_province]]\ndatasets = ["punish_action"]\nowners = ["{cities.ECOLOGY}"]\n'
        'through = "省生态环境厅执法系统"\n'
    )
    for city in cities.running(tmp_path, more=more):
        view = city.settled(city.submit(csv_of(list(rows(5)))))
        assert (view.accepted, view.rejected) == (0, 5)
        told = view.document["records"][0]["findings"][0]
        assert told["code"] == "50001.via_province"
        assert "省生态环境厅执法系统" in told["text"]
        assert city.receiver.history == []
        with city.hub.ledger.read() as connection:  # nobody has anything to mend
            assert connection.execute(select(func.count()).select_from(case_)).scalar() == 0


def test_a_deletion_travels_and_a_deletion_of_nothing_is_told(city: City) -> None:
    source = list(rows(2))
    city.settled(city.submit(csv_of(source)))
    key = source[0].key
    gone = [{"punish_action_code": key, "cd_operation": "d"}, {"punish_action_code": "nobody", "cd_operation": "d"}]
    content = [{**one, "owner_org_code": cities.ECOLOGY} for one in gone]

    view = city.settled(city.submit(json.dumps(content).encode(), "market-penalties"))

    assert (view.accepted, view.rejected) == (1, 1), view.document
    assert city.receiver.history[-1] == (f"{cities.ECOLOGY}-{key}", 2, "d")
    assert view.document["records"][0]["findings"][0]["code"] == "30004.delete"


def test_bytes_that_cannot_be_read_are_kept_and_told(city: City) -> None:
    view = city.judged(city.submit(b"PK\x03\x04 this is no zip", name="x.xlsx"))

    assert view.read == 0
    assert view.document["problem"]["code"] == "unreadable-payload"
    assert view.document["problem"]["what_zh"]
    assert view.document["problem"]["hint_zh"]
    assert open_cases(city) == 1


def test_unknown_and_missing_columns_are_told_once_with_the_near_name(city: City) -> None:
    [row] = list(rows(1))
    header = [h if h != "决定日期" else "处罚决定日期" for h in HEADER]
    text = ",".join([*header, "新列"]) + "\n" + ",".join([*row.values, "x"]) + "\n"

    view = city.judged(city.submit(text.encode("gb18030")))

    notes = {(n["code"], n["value"]) for n in view.document["notes"]}
    assert {("10004.column", "新列"), ("10004.column", "处罚决定日期"), ("10004.missing_column", "决定日期")} <= notes
    missing = next(n for n in view.document["notes"] if n["code"] == "10004.missing_column")
    assert "处罚决定日期" in missing["text"] + missing["hint"]
    assert view.rejected == 1


def test_a_large_hand_over_in_many_pieces_is_one_submission(city: City) -> None:
    source = list(rows(25_000))
    whole = csv_of(source)
    assert len(whole) > 2 * 4 * 1024 * 1024

    from standards.ports import HandOver

    pieces_ = (whole[i : i + 70_001] for i in range(0, len(whole), 70_001))
    acknowledged = city.hub.intake.receive(HandOver(connection="ecology-penalties", external_id="big"), pieces_)
    view = city.settled(acknowledged)

    assert (view.read, view.accepted) == (25_000, 25_000)
    assert len(city.receiver.stored) == 25_000
    with city.hub.ledger.read() as connection:
        made = parcels.of_submission(connection, acknowledged.submission_id)
    assert sum(p.count for p in made) == 25_000


def test_many_hand_overs_at_once_are_all_settled(city: City) -> None:
    acknowledged = [city.submit(csv_of(list(rows(3, first=1 + 3 * n)))) for n in range(60)]

    views = [city.settled(one) for one in acknowledged]

    assert sum(v.accepted for v in views) == 180
    assert len(city.receiver.stored) == 180


def test_what_the_province_refuses_comes_back_with_element_and_words(city: City) -> None:
    bad = f"{cities.ECOLOGY}-{next(iter(rows(1))).key}"
    city.receiver.refuse = lambda record: (
        {"code": "30001", "element": "supervise_item_code", "message": "监管事项编码未认领"}
        if record["cd_id"] == bad
        else None
    )

    view = city.settled(city.submit(csv_of(list(rows(30)))))

    assert view.document["deliveries"][0]["states"] == {"accepted": 29, "refused": 1}
    [said] = [f for r in view.document["records"] for f in r["findings"]]
    assert (said["code"], said["element"], said["level"]) == ("30001", "supervise_item_code", "province")
    assert "监管事项编码未认领" in said["text"]
    assert open_cases(city) == 1

    city.receiver.refuse = lambda _record: None
    again = city.settled(city.submit(csv_of(list(rows(2)))))
    assert (again.accepted, again.duplicate) == (1, 1), "a refusal reopens the record, though nothing in it changed"
    assert city.receiver.stored[bad] == 2
    until(lambda: open_cases(city) == 0)
    assert city.judged(city.submit(csv_of(list(rows(1))))).duplicate == 1


def test_the_receiver_is_told_who_provided_and_how(city: City) -> None:
    city.settled(city.submit(csv_of(list(rows(1)))))

    content = next(iter(city.receiver.contents.values()))

    assert content["provider_code"] == cities.ECOLOGY
    assert content["cd_operation"] == "i"
    assert content["cd_batch"].endswith("00001")
    assert len(content["content_digest"]) == 64
    assert len(content["trace_id"]) == 32
    assert content["submitted_date"]

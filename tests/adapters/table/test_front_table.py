"""What stands in a front-end row, whatever the table is called and made like."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    Column,
    Date,
    DateTime,
    Integer,
    MetaData,
    Numeric,
    String,
    Table,
    Text,
    create_engine,
    insert,
    select,
    update,
)

from adapters.conformance.parcels import a_parcel, a_record, again, around, clock, contents, revised, some
from adapters.table import FrontTable, TableSettings
from adapters.table.definition import front_table
from standards.errors import BadSetup, ReceiverRefused
from standards.parcel import Result
from standards.registry import built_in
from tests.adapters.table.rigs import TableRig

LOCAL_NOW = datetime.fromisoformat("2025-07-01 10:00:00")


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/front.db"


@pytest.fixture
def rig(url: str) -> Iterator[TableRig]:
    rig = TableRig(url)
    yield rig
    rig.close()


def one_row(rig: TableRig) -> dict[str, Any]:
    (row,) = rig.rows()
    return row


def test_a_row_has_the_technical_columns_and_typed_values(rig: TableRig) -> None:
    content = {**contents(1)[0], "punish_type": "02", "fine": "2000.50", "set_date": "2025-03-05"}
    parcel = a_parcel([a_record(content)])

    rig.destination.deliver(parcel)

    row = one_row(rig)
    assert row["cd_id"] == parcel.records[0].cd_id
    assert row["cd_batch"] == parcel.batch
    assert (row["cd_operation"], row["data_up_status"]) == ("i", "I")
    assert row["data_up_uuid"]
    assert row["set_date"] == date(2025, 3, 5)
    assert row["fine"] == Decimal("2000.50")


def test_the_times_are_those_of_writing_so_that_a_centre_reading_by_time_misses_nothing(url: str) -> None:
    rig = TableRig(url)
    waited = clock()
    waited.forward(timedelta(hours=3))
    late = FrontTable(TableSettings(url=url), around(), clock=waited)

    late.deliver(some(1))

    assert one_row(rig)["cd_time"] == LOCAL_NOW + timedelta(hours=3)
    assert one_row(rig)["data_up_time"] == LOCAL_NOW + timedelta(hours=3)
    rig.close()


def test_a_repeat_of_the_same_parcel_does_not_even_touch_the_row(rig: TableRig) -> None:
    parcel = some(2)
    rig.destination.deliver(parcel)
    with rig.engine.begin() as centre:
        centre.execute(update(rig.table).values(cd_lsh="L1", cd_hb_time=LOCAL_NOW))

    answer = rig.destination.deliver(again(parcel))

    assert [line.result for line in answer.lines] == [Result.DUPLICATE] * 2
    assert {row["cd_lsh"] for row in rig.rows()} == {"L1"}


def test_a_replaced_row_loses_the_marks_of_the_centre_so_that_it_is_merged_again(rig: TableRig) -> None:
    content = contents(1)[0]
    rig.destination.deliver(a_parcel([a_record(content)]))
    with rig.engine.begin() as centre:
        centre.execute(update(rig.table).values(cd_lsh="L1", cd_hb_source="city", cd_hb_time=LOCAL_NOW))

    rig.destination.deliver(a_parcel([revised(content, 2, penalty_result="警告")]))

    row = one_row(rig)
    assert (row["cd_lsh"], row["cd_hb_source"], row["cd_hb_time"]) == (None, None, None)
    assert (row["cd_operation"], row["data_up_status"]) == ("u", "U")


def test_an_update_empties_what_the_new_revision_no_longer_has(rig: TableRig) -> None:
    content = {**contents(1)[0], "remark": "旧", "entrust_dept": "甲局", "entrust_dept_code": "11420000MB0000000A"}
    rig.destination.deliver(a_parcel([a_record(content)]))
    without = {k: v for k, v in content.items() if not k.startswith("entrust")}

    rig.destination.deliver(a_parcel([revised(without, 2)]))

    assert one_row(rig)["entrust_dept"] is None


def test_a_deletion_keeps_the_row_and_says_d(rig: TableRig) -> None:
    content = contents(1)[0]
    rig.destination.deliver(a_parcel([a_record(content)]))

    rig.destination.deliver(a_parcel([a_record(content, revision=2, operation="d")]))

    row = one_row(rig)
    assert (row["cd_operation"], row["data_up_status"]) == ("d", "D")
    assert row["punish_action_name"] == content["punish_action_name"]


def test_a_deletion_of_a_row_the_centre_has_taken_away_is_a_row_with_the_key_only(rig: TableRig) -> None:
    rig.destination.deliver(a_parcel([a_record(contents(1)[0], revision=2, operation="d")]))

    row = one_row(rig)
    assert row["cd_operation"] == "d"
    assert row["punish_action_code"]
    assert row["punish_action_name"] is None


def test_of_two_revisions_in_one_parcel_the_newer_is_written(rig: TableRig) -> None:
    content = contents(1)[0]
    newer = revised(content, 2, penalty_result="警告")

    answer = rig.destination.deliver(a_parcel([newer, a_record(content)]))

    assert [line.result for line in answer.lines] == [Result.STALE]
    assert one_row(rig)["penalty_result"] == "警告"


def test_a_batch_of_another_provider_is_never_taken_for_a_later_one(rig: TableRig) -> None:
    content = contents(1)[0]
    older, newer = a_parcel([a_record(content)]), a_parcel([revised(content, 2)])
    rig.destination.deliver(newer)
    with rig.engine.begin() as other:
        other.execute(update(rig.table).values(provider_code="somebody else"))

    answer = rig.destination.deliver(older)

    assert not answer.lines


def test_a_row_that_vanishes_between_looking_and_writing_is_written_anew(rig: TableRig) -> None:
    content = contents(1)[0]
    rig.destination.deliver(a_parcel([a_record(content)]))
    _, writer = rig.destination._shape("punish_action", "1")
    look = writer.present

    def look_then_lose(connection: Any, keys: Any) -> Any:
        found = look(connection, keys)
        writer.present = look
        connection.execute(rig.table.delete())
        return found

    writer.present = look_then_lose
    rig.destination.deliver(a_parcel([revised(content, 2, penalty_result="警告")]))

    assert one_row(rig)["penalty_result"] == "警告"


def test_a_key_that_appears_between_looking_and_writing_is_updated(rig: TableRig) -> None:
    parcel = some(1)
    _, writer = rig.destination._shape("punish_action", "1")
    look = writer.present

    def look_then_find(connection: Any, keys: Any) -> Any:
        writer.present = look
        with rig.engine.begin() as other:
            values = {"cd_id": keys[0], "cd_time": LOCAL_NOW, "cd_source": "x", "cd_batch": "b", "cd_operation": "i"}
            other.execute(insert(rig.table).values(values))
        return {}

    writer.present = look_then_find
    rig.destination.deliver(parcel)

    assert one_row(rig)["cd_batch"] == parcel.batch


def test_names_in_capitals_other_names_and_fixed_values_are_followed(url: str) -> None:
    standard = built_in()
    model = front_table(standard.dataset("punish_action"), standard, MetaData())
    engine = create_engine(url)
    metadata = MetaData()
    columns = [
        Column("SJLY" if c.name == "cd_source" else c.name.upper(), c.type, primary_key=c.primary_key)
        for c in model.columns
    ]
    table = Table("DS_420100_JG_JGXW_PUNISH_ACTION", metadata, *columns, Column("VERSION_NO", Integer))
    metadata.create_all(engine)
    settings = TableSettings(
        url=url,
        prefix="ds_420100_",
        columns={"cd_source": "SJLY", "revision": "version_no"},
        fill={"cd_source": "420100"},
    )
    destination = FrontTable(settings, around(), clock=clock())

    destination.deliver(a_parcel([revised(contents(1)[0], 7)]))
    answer = destination.deliver(a_parcel([revised(contents(1)[0], 5)]))

    with engine.connect() as connection:
        row = connection.execute(select(table)).mappings().one()
    assert (row["SJLY"], row["VERSION_NO"]) == ("420100", 7)
    assert [line.result for line in answer.lines] == [Result.STALE]
    assert "符合标准" in destination.check()


def test_columns_of_our_own_profile_may_be_missing_but_not_national_ones(url: str) -> None:
    standard = built_in()
    dataset = standard.dataset("punish_action")
    own = [e.id for e in standard.elements(dataset) if e.mark == "own"]
    metadata = MetaData()
    front_table(dataset, standard, metadata, leave_out=own)
    metadata.create_all(create_engine(url))

    FrontTable(TableSettings(url=url), around(), clock=clock()).deliver(some(1))
    with pytest.raises(BadSetup) as caught:
        FrontTable(TableSettings(url=url, leave_out="none"), around(), clock=clock()).deliver(some(1))

    assert "trace_id" in caught.value.what


def test_a_missing_table_is_the_operators_business_and_told_by_name(url: str) -> None:
    destination = FrontTable(TableSettings(url=url), around(), clock=clock())

    with pytest.raises(BadSetup, match="jg_jgxw_punish_action") as caught:
        destination.deliver(some(1))

    assert "没有表" in caught.value.what_zh


def test_a_table_that_is_mended_is_used_without_a_restart(url: str) -> None:
    destination = FrontTable(TableSettings(url=url), around(), clock=clock())
    with pytest.raises(BadSetup):
        destination.deliver(some(1))
    rig = TableRig(url)

    destination.deliver(some(1))

    assert len(rig.rows()) == 1
    rig.close()


def strict(url: str) -> Table:
    """A table that a centre made in its own way: a must here, a number too small there, a date as text."""
    standard = built_in()
    model = front_table(standard.dataset("punish_action"), standard, MetaData())
    other = {
        "fine": Column("fine", Numeric(6, 2)),
        "address_registered": Column("address_registered", String(400), nullable=False),
        "set_date": Column("set_date", String(10)),
        "filing_date": Column("filing_date", DateTime),
        "submitted_date": Column("submitted_date", Date),
        "illegal_fact": Column("illegal_fact", Text),
        "case_source": Column("case_source", Integer),
    }
    metadata = MetaData()
    table = Table(
        model.name, metadata, *(other.get(c.name, Column(c.name, c.type, nullable=c.nullable)) for c in model.columns)
    )
    metadata.create_all(create_engine(url))
    return table


def test_every_value_that_does_not_fit_is_a_line_of_its_record(url: str) -> None:
    strict(url)
    content = {**contents(1)[0], "punish_type": "02", "fine": "123456.00", "punish_action_name": "长" * 501}
    content.pop("address_registered", None)

    answer = FrontTable(TableSettings(url=url), around(), clock=clock()).deliver(a_parcel([a_record(content)]))

    told = {(line.element, line.code) for line in answer.lines}
    assert told == {("fine", "10004"), ("punish_action_name", "10003"), ("address_registered", "10001")}
    assert all(line.result is Result.REFUSED for line in answer.lines)
    assert not any("123456" in line.message for line in answer.lines)


def test_dates_go_into_text_and_text_into_dates(url: str) -> None:
    table = strict(url)
    content = {
        **contents(1)[0],
        "address_registered": "某路 1 号",
        "set_date": "2025-03-05",
        "filing_date": "2025-03-01",
    }
    content = {k: v for k, v in content.items() if k != "fine"} | {"submitted_date": "2025-06-01 09:30:00"}

    answer = FrontTable(TableSettings(url=url), around(), clock=clock()).deliver(a_parcel([a_record(content)]))

    assert not answer.lines
    with create_engine(url).connect() as connection:
        row = connection.execute(select(table)).mappings().one()
    assert row["set_date"] == "2025-03-05"
    assert row["filing_date"] == datetime.fromisoformat("2025-03-01")
    assert row["submitted_date"] == date(2025, 6, 1)


def test_lengths_can_be_counted_in_bytes(url: str) -> None:
    rig = TableRig(url, length_in="utf-8")
    content = {**contents(1)[0], "punish_action_name": "名" * 200}

    answer = rig.destination.deliver(a_parcel([a_record(content)]))

    assert [(line.element, line.code) for line in answer.lines] == [("punish_action_name", "10003")]
    rig.close()


def test_where_verdicts_come_later_a_parcel_that_does_not_fit_is_refused_as_a_whole_first(url: str) -> None:
    rig = TableRig(url, verdict="merged")
    spoilt, _ = rig.spoil(contents(2)[1])

    with pytest.raises(ReceiverRefused) as caught:
        rig.destination.deliver(a_parcel([a_record(contents(1)[0]), a_record(spoilt)]))

    assert caught.value.params == {"code": "10003", "element": "punish_action_name"}
    assert not rig.rows()
    rig.close()


def test_a_large_parcel_is_looked_up_in_lists_that_every_database_takes(rig: TableRig) -> None:
    rig.destination.deliver(some(2500))
    answer = rig.destination.deliver(some(2500))

    assert len(rig.rows()) == 2500
    assert not answer.lines  # another parcel with the same records replaces the rows

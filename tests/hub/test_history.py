"""`hub record`: every revision of a record, what became of it, and what today's rules would say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from hub.ledger.tables import journal
from standards.errors import UnknownName
from standards.registry import built_in
from tests.hub.cases.test_month import rows
from tests.hub.city import City, running, until
from tests.hub.tasks.test_journeys import Json

PUNISH = "punish_action"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    more = f'[connections.plain]\nparty = "ecology"\ndataset = "{PUNISH}"\n'
    yield from running(tmp_path, more=more)


def hand_in(city: City, row: Json) -> None:
    import json

    city.settled(city.submit(json.dumps([row], ensure_ascii=False).encode(), connection="plain", name="a.json"))


def test_every_revision_is_told_the_newest_first_with_where_it_went(city: City) -> None:
    (row,) = rows(PUNISH, 1)
    hand_in(city, row)
    hand_in(city, {**row, "set_date": "不详"})
    hand_in(city, {**row, "illegal_fact": "改正后的事实"})
    until(lambda: len(city.receiver.contents) == 2)
    key = [row[name] for name in built_in().dataset(PUNISH).natural_key]

    told = city.hub.history().of(PUNISH, key, by="test")

    (record,) = told["records"]
    assert (record["revision"], record["party"], record["complete"]) == (2, "ecology", True)
    assert [one["revision"] for one in record["revisions"]] == [2, 1]
    assert record["revisions"][0]["values"]["illegal_fact"] == "改正后的事实"
    assert [d["destination"] for d in record["revisions"][1]["deliveries"]] == ["province"]
    assert [d["state"] for d in record["revisions"][0]["deliveries"]] == ["accepted"]
    assert [f for f in record["today"] if f["severity"] == "error"] == []
    assert [(c["class"], c["closed_by"]) for c in record["cases"]] == [("2", "data")], "the wrong one, and its mending"
    with city.hub.ledger.read() as connection:
        looked = connection.execute(select(journal).where(journal.c.action == "record_looked_at")).all()
    assert [one.actor for one in looked] == ["test"]
    assert key[0] not in looked[0].detail, "the key itself stands in no log"


def test_personal_elements_are_masked_and_others_records_are_none(city: City) -> None:
    dataset = built_in().dataset(PUNISH)
    (row,) = rows(PUNISH, 1)
    hand_in(city, row)
    key = [row[name] for name in dataset.natural_key]
    (record,) = city.hub.history().of(PUNISH, key, party="ecology")["records"]
    for name in dataset.personal & set(row):
        if row[name]:
            assert record["revisions"][0]["values"][name] != row[name]
    with pytest.raises(UnknownName):
        city.hub.history().of(PUNISH, key, party="market")
    with pytest.raises(UnknownName):
        city.hub.history().of(PUNISH, ["nothing"] * len(key))

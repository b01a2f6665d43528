"""The demo's own checks find what does not add up: a demo that cannot fail shows nothing."""

from datetime import date
from typing import Any

import pytest

from demo import sums
from demo.province import CITY, REFUSED, refused
from demo.records import Department
from standards.states import Verdict
from tests.demo.test_departments import city

CITIES = city(date(2026, 3, 1))


def right_rows() -> dict[str, dict[str, Any]]:
    return {one.connection: {"connection": one.connection, **sums.expected(one)} for one in CITIES}


def right_centre() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    counts, stored = [], []
    for dataset in ("punish_action", "check_action", "credit_license", "supervise_object"):
        passed = [
            record.cd_id
            for one in CITIES
            if one.dataset == dataset
            for file in one.files
            for record in file.records
            if record.verdict is Verdict.ACCEPTED
        ]
        wrong = sum(1 for key in set(passed) if refused(key))
        keys = len(set(passed))
        counts.append(
            {
                "organisation": CITY,
                "dataset": dataset,
                "front": keys,
                "standard": keys,
                "right": keys - wrong,
                "wrong": wrong,
            }
        )
        stored += [
            {"dataset": dataset, "cd_id": key, "revision": str(n), "times": 1}
            for n, key in enumerate(passed)
            if not refused(key)
        ]
    return counts, stored


def right_receipts(one: Department) -> dict[str, dict[str, Any]]:
    return {
        file.name: {
            "records": [
                {"row": n, "verdict": str(record.verdict), "findings": [{"code": record.code}]}
                for n, record in enumerate(file.records, 1)
                if record.code
            ]
        }
        for file in one.files
    }


def test_what_is_right_passes() -> None:
    assert not list(sums.of_city(CITIES, right_rows()))
    assert not list(sums.of_centre(CITIES, *right_centre()))
    assert not [wrong for one in CITIES for wrong in sums.of_receipts(one, right_receipts(one))]


def test_the_centre_refuses_some_but_few() -> None:
    refused = sum(expected["accepted"] - expected["delivered"] for expected in map(sums.expected, CITIES))

    assert 0 < refused < 3 * REFUSED * sum(one.counts[Verdict.ACCEPTED] for one in CITIES)


@pytest.mark.parametrize("name", ["read", "accepted", "held", "rejected", "duplicate", "delivered", "receipted"])
def test_a_count_that_is_one_off_is_told_with_both_numbers(name: str) -> None:
    rows = right_rows()
    should = rows["market-checks"][name]
    rows["market-checks"][name] = should + 1

    told = [wrong.zh for wrong in sums.of_city(CITIES, rows)]

    assert any(f"应为 {should}，实为 {should + 1}" in words for words in told)


def test_a_connection_that_is_missing_is_told() -> None:
    rows = right_rows()
    del rows["drug-licences"]

    assert any("市药监局" in wrong.zh for wrong in sums.of_city(CITIES, rows))


@pytest.mark.parametrize("name", ["front", "standard", "right", "wrong"])
def test_a_count_of_the_centre_that_is_one_off_is_told(name: str) -> None:
    counts, stored = right_centre()
    counts[0][name] += 1

    assert [wrong for wrong in sums.of_centre(CITIES, counts, stored) if "punish_action" in wrong.zh]


def test_a_revision_that_was_stored_twice_or_never_is_told() -> None:
    counts, stored = right_centre()
    twice = [stored[0] | {"times": 2}, *stored[1:]]

    assert list(sums.of_centre(CITIES, counts, twice))
    assert list(sums.of_centre(CITIES, counts, stored[1:]))


@pytest.mark.parametrize("spoil", [{"findings": [{"code": "10003"}]}, {"verdict": "accepted"}], ids=str)
def test_a_record_without_the_finding_that_was_planted_is_told(spoil: dict[str, Any]) -> None:
    one = CITIES[0]
    receipts = right_receipts(one)
    record = receipts[one.files[0].name]["records"][0]
    record.update(spoil)

    [wrong] = sums.of_receipts(one, receipts)

    assert f"第 {record['row']} 条" in wrong.zh

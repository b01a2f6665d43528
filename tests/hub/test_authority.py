"""一数一源: a record is its most authoritative source's; and routes go by library."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.authority import Authority
from hub.bootstrap import prepare
from standards.errors import BadConfiguration
from standards.registry import built_in
from standards.samples.valid import valid_records
from standards.states import Verdict
from tests.hub import city as cities
from tests.hub.city import City, config, until

ECOLOGY, MARKET = cities.ECOLOGY, "111402001D22DR363Y"
MORE = """
[connections.ecology-words]
party = "ecology"
dataset = "punish_action"

[connections.market-for-ecology]
party = "market"
dataset = "punish_action"
owner = "11140200A4L2GB1F45"

[[source_priority]]
datasets = ["punish_action"]
parties = ["market", "ecology"]
lower = "{lower}"
"""
PARTIES = st.sampled_from(["a", "b", "c", "d"])


@given(party=PARTIES, holders=st.lists(PARTIES, max_size=4), order=st.permutations(["a", "b", "c"]))
def test_one_word_counts_and_never_two(party: str, holders: list[str], order: list[str]) -> None:
    authority = Authority(party, "x", {name: n for n, name in enumerate(order)})

    above, under = authority.above(holders), authority.takes_over(holders)

    assert above is None or under is None
    assert above != party
    assert under != party
    if party in holders:
        assert under is None
    if party == order[0]:
        assert above is None
    if party == "d":
        assert under is None, "who is not named takes nothing over"


def test_the_finding_names_the_source() -> None:
    authority = Authority("b", "x", {"a": 0, "b": 1}, Verdict.HELD, {"a": "市场局"})
    assert authority.params("a") == {"system": "市场局", "dataset": "x"}


@pytest.fixture(params=["hold", "reject"])
def city(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[City]:
    yield from cities.running(tmp_path, more=MORE.format(lower=request.param))


def a_record(**changes: str) -> dict[str, str]:
    standard = built_in()
    return {
        **next(valid_records(standard.dataset("punish_action"), standard, 1)),
        "punish_action_code": "P-1",
        **changes,
    }


def handed(city: City, connection: str, **changes: str) -> dict[str, Any]:
    body = json.dumps(a_record(**changes), ensure_ascii=False).encode()
    view = city.judged(city.submit(body, connection))
    told = [f for row in view.document["records"] for f in row["findings"]]
    verdict = next(n for n in ("accepted", "rejected", "held", "duplicate") if getattr(view, n))
    return {"verdict": verdict, "codes": [f["code"] for f in told], "texts": " ".join(f["text"] for f in told)}


def test_a_less_authoritative_party_does_not_overwrite_the_same_owners_record(city: City) -> None:
    assert handed(city, "market-for-ecology")["verdict"] == "accepted"

    lower = handed(city, "ecology-words", illegal_fact="别的事实")

    assert lower["verdict"] == (
        "held" if city.hub.generations.current().settings.source_priority[0].lower == "hold" else "rejected"
    )
    assert lower["codes"] == ["20002.authority"]
    assert "权威来源“大同市市场监督管理局”" in lower["texts"]
    assert handed(city, "ecology-words")["verdict"] == "duplicate", "the same content is no conflict"
    assert handed(city, "ecology-words", cd_operation="d")["codes"] == ["20002.authority"]
    assert handed(city, "market-for-ecology", illegal_fact="更正")["verdict"] == "accepted"
    until(lambda: city.receiver.stored == {f"{ECOLOGY}-P-1": 2})


def test_the_authoritative_party_takes_a_key_over_and_keeps_it(city: City) -> None:
    assert handed(city, "ecology-words")["verdict"] == "accepted"

    taken = handed(city, "market-penalties", illegal_fact="权威")

    assert (taken["verdict"], taken["codes"]) == ("accepted", ["20002.taken"])
    assert handed(city, "ecology-words", illegal_fact="再报")["codes"] == ["20002.authority"]
    assert handed(city, "ecology-words", cd_operation="d")["verdict"] == "accepted", "its own may be deleted"
    assert handed(city, "ecology-words", illegal_fact="再报")["codes"] == ["20002.authority"]
    until(lambda: city.receiver.stored == {f"{ECOLOGY}-P-1": 2, f"{MARKET}-P-1": 1})


def test_what_waited_while_the_authoritative_party_reported_does_not_overwrite_it(tmp_path: Path) -> None:
    more = MORE.format(lower="hold") + '\n[references]\n"punish_action.check_action_code" = "hold"\n'
    for city in cities.running(tmp_path, more=more):
        waiting = {"check_action_code": "C-1"}
        assert handed(city, "market-for-ecology", check_action_code="无")["verdict"] == "accepted"
        lower = city.submit(json.dumps(a_record(**waiting)).encode(), "ecology-words")
        assert city.judged(lower).held == 1
        standard = built_in()
        check = next(valid_records(standard.dataset("check_action"), standard, 1))
        city.judged(city.submit(json.dumps({**check, "check_action_code": "C-1"}).encode(), "checks"))

        def told(receipt_no: str = lower.receipt_no, hub: Any = city.hub) -> set[str]:
            document = hub.receipts.receipt(receipt_no).document
            return {f["code"] for row in document["records"] for f in row["findings"]}

        until(lambda told=told: "20002.authority" in told())
        assert city.judged(lower).held == 1


def test_routes_go_by_library(tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    text = config("http://127.0.0.1:9").replace(
        'to = ["province"]', 'to = ["province"]\nlibraries = ["监管行为信息库"]'
    )
    path.write_text(text, "utf-8")
    for city in cities.running(
        tmp_path / "city", more='[connections.items]\nparty = "market"\ndataset = "supervise_item_sub"\n'
    ):
        generation = city.hub.generations.current()
        settings = prepare(path)[0]
        generation.settings = settings.model_copy(update={"connections": generation.settings.connections})
        standard = generation.standard
        routed = {
            name: [r.destination for r in generation.routes("items", "market", standard.dataset(name))]
            for name in ("punish_action", "check_action", "supervise_item_sub", "reconciliation_report")
        }
    assert routed == {
        "punish_action": ["province"],
        "check_action": ["province"],
        "supervise_item_sub": [],
        "reconciliation_report": [],
    }


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('[[source_priority]]\ndatasets = ["punish_action"]\nparties = ["markt"]\n', "did you mean market?"),
        (
            MORE.format(lower="hold") * 1
            + '[[source_priority]]\ndatasets = ["punish_action"]\nparties = ["ecology"]\n',
            "already",
        ),
        ('[[routes]]\nto = ["province"]\nlibraries = ["监管行为库"]\n', "监管行为信息库"),
    ],
)
def test_mistakes_are_told(tmp_path: Path, more: str, said: str) -> None:
    path = tmp_path / "hub.toml"
    path.write_text(config("http://127.0.0.1:9", more=more), "utf-8")

    with pytest.raises(BadConfiguration) as told:
        prepare(path)
    assert said in str(told.value)

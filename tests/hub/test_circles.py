"""Nothing goes back where it came from, whatever the routes say; and `hub check` says so."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.bootstrap import prepare
from hub.circle_checks import circle_notes
from hub.generations import Generation, assemble
from hub.vault import NO_SEAL
from standards.errors import BadConfiguration
from tests.hub.city import config

#: The centre hands over too, by itself and under another name of the same organisation; ours go up by a party of ours.
MORE = """
[connections.province-reports]
party = "centre"
dataset = "reconciliation_report"

[connections.province-clues]
party = "centre"
dataset = "risk_clue"

[parties.centre-front]
title = "省监管数据中心（前置库）"
code = "11140000N8Y3CP4F3H"
kind = "platform"

[connections.front-reports]
party = "centre-front"
dataset = "reconciliation_report"

[parties.office]
title = "大同市数据局"
code = "11140200E9QM7HGU4X"

[connections.our-reports]
party = "office"
dataset = "reconciliation_report"

[connections.receipts]
party = "office"
dataset = "exchange_receipt"

[destinations.market-box]
party = "market"
adapter = "mailbox"
direction = "down"

[[routes]]
to = ["market-box"]
"""
NAMED = """
[[routes]]
datasets = ["reconciliation_report"]
to = ["province", "market-box"]
"""


def loaded(folder: Path, more: str = "") -> Generation:
    path = folder / "hub.toml"
    path.write_text(config("http://127.0.0.1:9", more=MORE + more), "utf-8")
    _, body = prepare(path)
    return assemble(1, body, folder, NO_SEAL)


def ways(generation: Generation, connection: str, dataset: str) -> dict[str, str]:
    """Destination -> what a record has to say of its own way."""
    party = generation.settings.connections[connection].party
    found = generation.routes(connection, party, generation.standard.dataset(dataset))
    return {route.destination: route.way for route in found}


def test_a_route_for_everything_never_leads_back_to_the_sender(tmp_path: Path) -> None:
    generation = loaded(tmp_path)

    assert ways(generation, "ecology-penalties", "punish_action") == {"province": "", "market-box": ""}
    assert ways(generation, "market-penalties", "punish_action") == {"province": ""}
    assert ways(generation, "province-clues", "risk_clue") == {"market-box": ""}


def test_what_is_about_the_exchange_goes_only_where_it_is_named_and_never_back(tmp_path: Path) -> None:
    everything = loaded(tmp_path)
    for name in ("province-reports", "front-reports", "our-reports"):
        assert ways(everything, name, "reconciliation_report") == {}
    assert ways(everything, "receipts", "exchange_receipt") == {}

    named = loaded(tmp_path, NAMED)
    assert ways(named, "our-reports", "reconciliation_report") == {"province": "up", "market-box": "dn"}
    assert ways(named, "province-reports", "reconciliation_report") == {"market-box": "dn"}
    assert ways(named, "front-reports", "reconciliation_report") == {"market-box": "dn"}, "the same organisation"


def test_a_report_goes_the_way_that_it_says_of_itself(tmp_path: Path) -> None:
    generation = loaded(tmp_path, NAMED)
    dataset = generation.standard.dataset("reconciliation_report")
    up, down = generation.routes("our-reports", "office", dataset)
    said = {"direction": ["up", "dn", "", "up"]}

    assert (up.rows(said, [0, 1, 2, 3]), down.rows(said, [0, 1, 2, 3])) == ([0, 3], [1])


def test_hub_check_tells_what_is_not_sent(tmp_path: Path) -> None:
    notes = circle_notes(loaded(tmp_path))

    assert "province-clues" in notes["province"].partition("；")[0]
    assert "our-reports (reconciliation_report)" in notes["province"]
    assert "market-penalties" in notes["market-box"].partition("；")[0]
    assert "our-reports" not in circle_notes(loaded(tmp_path, NAMED))["province"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (
            '[[routes]]\nparties = ["market"]\nto = ["market-box"]\n',
            "market-box is where this route's data comes from",
        ),
        (
            '[[routes]]\nconnections = ["province-clues", "front-reports"]\nto = ["province"]\n',
            "province is where this route's data comes from",
        ),
        ('[reconciliation]\nreports = "our-report"\ncentres = ["province"]\n', "did you mean our-reports?"),
        ('[reconciliation]\nreports = "our-reports"\ncentres = ["provinz"]\n', "did you mean province?"),
        (
            '[reconciliation]\nreports = "our-reports"\ncentres = ["province"]\n',
            "no route takes reconciliation_report of our-reports to province",
        ),
        (
            NAMED + '[reconciliation]\nreports = "front-reports"\ncentres = ["province"]\n',
            "never sent back to province",
        ),
    ],
)
def test_a_route_that_leads_only_back_is_a_mistake_and_so_are_reports_that_nothing_takes(
    tmp_path: Path, more: str, said: str
) -> None:
    with pytest.raises(BadConfiguration, match="1 mistake") as caught:
        loaded(tmp_path, more)

    assert said in str(caught.value)
    assert "hub.toml:" in str(caught.value)


def test_reports_with_a_route_of_their_own_are_right(tmp_path: Path) -> None:
    assert loaded(tmp_path, NAMED + '[reconciliation]\nreports = "our-reports"\ncentres = ["province"]\n')

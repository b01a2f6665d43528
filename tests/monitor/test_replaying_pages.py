"""The console begins a replay from any stage, after a rehearsal that writes nothing."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import func, select

from hub.ledger.tables import replay
from tests.hub.city import until
from tests.monitor.test_console import Browser, Province, city, rows  # noqa: F401


@pytest.mark.parametrize("stage", ["raw", "mapped", "delivery"])
def test_a_hand_over_is_replayed_from_each_stage_after_its_rehearsal(city: Province, stage: str) -> None:  # noqa: F811
    hub = city.running.hub
    wrong = [{**row, "set_date": "不详"} for row in rows("punish_action", 1)] if stage == "raw" else []
    said = city.client("ecology").post(
        "/v1/submissions?connection=plain&wait=20&wait_for=settled&name=a.json",
        json=[*wrong, *rows("punish_action", 3)[1:]],
    )
    number = said.json()["receipt_no"]
    operator = Browser(city, "").log_in()
    assert f"/console/replays?receipt_no={number}" in operator.get(f"submissions/{number}")
    before = len(city.receiver.history), _replays(city)

    page = operator.get(f"replays?rehearse=1&stage={stage}&receipt_no={number}&party=&dataset=&since=&until=&to=")

    form = page[page.index("/console/replays/begin") :]
    assert (len(city.receiver.history), _replays(city)) == before, "a rehearsal writes nothing"
    assert ("仍不通过 1" in page) == (stage == "raw")
    assert ("→ province: 1" in page) == (stage == "delivery")
    assert operator.send("replays/begin", form, stage=stage, receipt_no=number).status_code == 422, "a reason is asked"
    words = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form))
    words.pop("token")
    done = operator.send("replays/begin", form, **words, reason="核对后重放")
    assert re.search(r"/console/mending/[0-9a-f-]+", str(done.url)), done.text[:500]
    made = hub.replays().listed(1)[0]
    assert (made["stage"], made["selection"]["receipt_no"], made["reason"]) == (stage, number, "核对后重放")
    until(lambda: hub.replays().run() >= 0 and hub.replays().listed(1)[0]["state"] == "done", 30)
    assert "核对后重放" in operator.get("replays")


def test_nothing_is_rehearsed_without_a_choice_and_a_wrong_day_is_told(city: Province) -> None:  # noqa: F811
    operator = Browser(city, "").log_in()

    assert "/console/replays/begin" not in operator.get("replays?rehearse=1&stage=mapped")
    assert operator.client.get("/console/replays?rehearse=1&since=2026-13-01").status_code == 422
    assert operator.client.get("/console/replays?rehearse=1&receipt_no=x").status_code == 404


def _replays(city: Province) -> int:  # noqa: F811
    with city.running.hub.ledger.read() as connection:
        return connection.execute(select(func.count()).select_from(replay)).scalar_one()

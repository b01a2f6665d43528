"""Reconciliation with a centre over its up_ and dn_ tables: counts, digests, the records it lacks, and its cases."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import create_engine, text
from typer.testing import CliRunner

from hub.cli.main import app
from standards.clock import SHANGHAI
from standards.errors import BadRecord
from standards.states import CaseClass
from tests.hub.cases.centre import MARKET, WithCentre, penalties

DAY = date(2026, 9, 10)


@pytest.fixture(params=["sqlite", "postgresql"])
def both(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[WithCentre]:
    ledger = request.getfixturevalue("postgres_url") if request.param == "postgresql" else ""
    made = WithCentre(tmp_path, datetime(2026, 9, 10, 10, tzinfo=SHANGHAI), ledger)
    yield made
    made.close()


def told(both: WithCentre, table: str, columns: str) -> list[tuple[object, ...]]:
    engine = create_engine(both.centre.database_url)
    with engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table} ORDER BY 1"))]
    engine.dispose()
    return found


def test_what_the_centre_lost_is_found_by_its_report_told_record_by_record_and_closed(both: WithCentre) -> None:
    both.hand_over(penalties(10))
    both.deliver()
    both.at(11, 6)
    both.report(DAY)
    [whole] = both.hub.reconciliations().listed("market")
    assert (whole["agrees"], whole["theirs"]["delivered"], whole["theirs"]["receipted"]) == (True, 10, 10)
    assert whole["theirs"]["digest"] == whole["ours"]["digest"]
    assert both.cases() == []

    lost = [one.cd_id for one in both.centre.stored("punish_action")][3:5]
    assert both.centre.centre.lose("punish_action", lost) == 2
    both.at(12, 6)
    both.report(DAY)

    newest = both.hub.reconciliations().listed("market")[0]
    assert (newest["agrees"], newest["missing"], newest["theirs"]["delivered"]) == (False, 2, 8)
    one = both.hub.reconciliations().one(UUID(newest["id"]))
    assert sorted(k["cd_id"] for bucket in one["buckets"] for k in bucket["keys"]) == sorted(lost)
    opened = {(c.code, c.party, c.destination, c.class_) for c in both.cases()}
    inconsistent = CaseClass.INCONSISTENT
    assert opened == {
        ("20006.counts", "market", "province", inconsistent),
        ("20006.missing", "market", "province", inconsistent),
    }
    assert len(both.cases()) == 3
    assert "本方 10，对方 8" in next(c for c in both.cases() if c.code == "20006.counts").note

    # Nothing came meanwhile: looked at again, it is still open, and what the centre said never went back to it.
    both.at(13, 6)
    both.daily.tick()
    assert [c.closed_at for c in both.cases()] == [None] * 3
    both.deliver()
    assert [row for row in told(both, "up_data_reconciliation", "direction") if row != ("up",)] == []

    # One action sends exactly these two; said twice, they are sent once; the next report closes the cases.
    desk, comparison = both.hub.resending(), UUID(newest["id"])
    plan = desk.rehearse(comparison)
    assert (plan["records"], sorted(plan["samples"]), plan["needs_word"]) == (2, sorted(lost), False)
    before = len(both.centre.arrivals())
    made = desk.start(comparison, "li", "省级丢失，补发")
    with pytest.raises(BadRecord, match="nothing of it can be sent"):
        desk.start(comparison, "li", "again")
    assert desk.sendings(comparison)[0]["unfinished"] == 1
    both.deliver()
    came = both.centre.arrivals()[before:]
    assert sorted(a["cd_id"] for a in came) == sorted(lost)
    assert {(one.times) for one in both.centre.stored("punish_action")} == {1}
    assert len(both.centre.stored("punish_action")) == 10
    plan = desk.rehearse(comparison)
    assert (plan["records"], plan["there"], plan["under_way"]) == (0, 2, 0)
    sending = both.hub.replays().one(UUID(made["replay"]))
    assert (sending["selection"]["reconciliation"], sending["progress"]["accepted"]) == (newest["id"], 2)
    assert [c.code for c in both.cases() if not c.closed_at] == ["20006.counts"], "until the centre says so itself"
    both.report(DAY)
    assert {c.closed_by for c in both.cases()} == {"data"}
    newest = both.hub.reconciliations().listed("market")[0]
    assert (newest["agrees"], newest["ours"]["delivered"], newest["ours"]["receipted"]) == (True, 10, 10)


def test_our_report_goes_up_and_the_centres_answer_says_whether_it_counts_the_same(both: WithCentre) -> None:
    both.hand_over(penalties(6))
    both.deliver()
    both.at(11, 6)
    both.daily.tick()
    both.translate()
    both.deliver()
    up = told(both, "up_data_reconciliation", "org_code, dataset, delivered_count, acked_count, direction")
    assert up == [(MARKET, "punish_action", 6, 6, "up")]

    both.report(DAY)
    both.centre.centre.lose("punish_action", [one.cd_id for one in both.centre.stored("punish_action")])
    same = told(both, "dn_data_reconciliation", "org_code, front_count, right_count, result")
    both.at(12, 6)
    both.report(DAY)

    assert same == [(MARKET, 6, 6, "1")]
    assert told(both, "dn_data_reconciliation", "org_code, front_count, right_count, result") == [(MARKET, 0, 0, "2")]
    newest = both.hub.reconciliations().listed("market")[0]
    assert (newest["agrees"], newest["missing"]) == (False, 6)


def test_the_page_the_command_and_the_interface_send_what_is_lacking_after_a_rehearsal(tmp_path: Path) -> None:
    both = WithCentre(tmp_path, datetime(2026, 9, 10, 10, tzinfo=SHANGHAI))
    both.hand_over(penalties(6))
    both.deliver()
    lost = [one.cd_id for one in both.centre.stored("punish_action")][:3]
    both.centre.centre.lose("punish_action", lost[:1])
    both.at(11, 6)
    both.report(DAY)
    comparison = both.hub.reconciliations().listed("market")[0]["id"]
    address, key = both.served()
    words = ["--url", address, "--key", key]
    auth = {"authorization": f"Bearer {key}"}

    said = CliRunner().invoke(app, ["reconcile", "--resend", comparison, "--rehearse", *words])
    assert (said.exit_code, lost[0] in said.output) == (0, True), said.output
    assert both.hub.resending().sendings(UUID(comparison)) == [], "a rehearsal sends nothing"
    sent = CliRunner().invoke(app, ["reconcile", "--resend", comparison, "--reason", "补发", "--json", *words])
    assert (sent.exit_code, json.loads(sent.output)["records"]) == (0, 1), sent.output
    again = httpx2.post(f"{address}/v1/reconciliations/{comparison}/resend", json={}, headers=auth)
    assert again.status_code == 422, again.text
    both.deliver()

    # On the page: rehearse, then send with a reason; the page of the replay follows, and the comparison leads to it.
    both.centre.centre.lose("punish_action", lost[1:])
    both.report(DAY)
    comparison = both.hub.reconciliations().listed("market")[0]["id"]
    with httpx2.Client(base_url=f"{address}/console", follow_redirects=True, timeout=30) as browser:
        browser.post("/login", data={"key": key})
        page = browser.get(f"/reconciliations/{comparison}").text
        token = re.findall(r'name="token" value="([0-9a-f]+)"', page)[0]
        assert f"reconciliations/{comparison}/resend" not in page, "first the rehearsal"
        plan = browser.post(f"/reconciliations/{comparison}/rehearsal", data={"token": token}).text
        assert all(key in plan for key in lost[1:])
        done = browser.post(f"/reconciliations/{comparison}/resend", data={"token": token, "reason": "省级丢失"})
        assert re.search(r"/console/mending/[0-9a-f-]+", str(done.url))
        assert "省级丢失" in done.text
        assert str(done.url).partition("?")[0].rpartition("/")[2] in browser.get(f"/reconciliations/{comparison}").text
    both.deliver()
    assert len(both.centre.stored("punish_action")) == 6
    assert len([a for a in both.centre.arrivals() if a["dataset"] == "punish_action"]) == 6 + 3
    both.close()

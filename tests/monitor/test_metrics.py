"""Metrics: a closed set, true to the ledger, without content; the alert rules name only what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from demo import ecology
from hub import serve
from hub.bootstrap import prepare
from hub.ledger import credentials
from monitor.metrics import METRICS, Fact, UnknownMetric, render
from tests.hub.city import config, until
from tests.hub.tasks.test_journeys import Province
from tests.receiver import Receiver
from tests.services.promtool import promtool


@pytest.fixture
def city(tmp_path: Path) -> Iterator[Province]:
    receiver = Receiver().start()
    path = tmp_path / "hub.toml"
    path.write_text(config(receiver.url), "utf-8")
    running = serve.start(*prepare(path))
    yield Province(running, receiver)
    running.stop()
    receiver.stop()


def scraped(city: Province) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    city.running.hub.sight._held = None
    answer = httpx2.get(f"{city.running.address}/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_what_is_scraped_is_what_the_ledger_says_and_holds_no_content(city: Province) -> None:
    body = b"".join(ecology.pieces(ecology.rows(200, faults=0.1)))
    city.client("ecology").post("/v1/submissions?connection=ecology-penalties&wait=30&name=a.csv", content=body)
    until(lambda: bool(city.receiver.contents))

    found = scraped(city)

    def records(verdict: str) -> float:
        labels = (("dataset", "punish_action"), ("party", "ecology"), ("verdict", verdict))
        return found.get(("hub_records_total", labels), 0)

    assert records("read") == 200
    assert records("accepted") + records("rejected") + records("held") + records("duplicate") == 200
    assert found["hub_destination_up", (("destination", "province"),)] == 1
    assert found["hub_cases_open", (("class", "2"), ("party", "ecology"))] == records("rejected")
    assert found["hub_calendar_last_year", ()] == 2026
    text = httpx2.get(f"{city.running.address}/metrics").text
    assert "环保科技" not in text
    assert not re.search(r"(?<![\d.])\d{17}[\dX]", text), "neither credit codes nor identity numbers"
    assert {name for name, _ in found} <= {sample for metric in METRICS.values() for sample in metric.samples}
    assert found["hub_submission_judging_seconds_count", (("dataset", "punish_action"),)] == 1
    assert found["hub_submission_judging_seconds_bucket", (("dataset", "punish_action"), ("le", "60"))] == 1
    assert found["hub_parcel_receipt_seconds_count", (("destination", "province"),)] == 1
    assert found["hub_queue_messages", (("queue", "deliver.province.bulk"),)] == 0
    assert (found["hub_ledger_up", ()], found["hub_broker_up", ()], found["hub_scheduler_elected", ()]) == (1, 1, 1)
    assert promtool("check", "metrics", given=text.encode()) == ""


def test_a_dead_destination_is_down_and_waits(city: Province) -> None:
    city.receiver.status = 503
    city.client("ecology").post(
        "/v1/submissions?connection=ecology-penalties&wait=30&name=a.csv",
        content=b"".join(ecology.pieces(ecology.rows(5))),
    )
    until(lambda: scraped(city)["hub_destination_up", (("destination", "province"),)] == 0)
    assert scraped(city)["hub_destination_failures", (("destination", "province"),)] >= 1
    assert sum(value for (name, _), value in scraped(city).items() if name == "hub_delivery_failures_total") >= 1
    city.receiver.status = None
    until(lambda: scraped(city)["hub_destination_up", (("destination", "province"),)] == 1)


def test_from_elsewhere_it_needs_an_operators_key(city: Province) -> None:
    address = f"{city.running.address}/metrics"
    far = {"x-forwarded-for": "10.1.2.3"}
    assert httpx2.get(address, headers=far).status_code == 401
    hub = city.running.hub
    key = hub.ledger.write(lambda c: credentials.make(c, "ecology", hub.clock.now(), by="test"))[1]
    assert httpx2.get(address, headers={**far, "authorization": f"Bearer {key}"}).status_code == 403
    key = hub.ledger.write(lambda c: credentials.make(c, "", hub.clock.now(), by="test"))[1]
    assert httpx2.get(address, headers={**far, "authorization": f"Bearer {key}"}).status_code == 200


def test_only_known_names_and_labels_are_rendered() -> None:
    with pytest.raises(UnknownMetric):
        render([Fact("hub_persons", 1)])
    with pytest.raises(UnknownMetric):
        render([Fact("hub_holds_open", 1, {"name": "x"})])
    assert b"hub_holds_open 3.0" in render([Fact("hub_holds_open", 3)])

"""The alert rules, by promtool: each fires on what it is about, says who must act, and recovers."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from monitor.metrics import METRICS
from tests.services.promtool import PromtoolSaysNo, promtool

RULES = Path(__file__).resolve().parents[2] / "deploy" / "prometheus" / "alerts.yml"
SAMPLES = {sample: metric for metric in METRICS.values() for sample in metric.samples}
HERE = 'instance="hub:8080",job="supervision-exchange-hub"'


@dataclass(frozen=True)
class Try:
    """Series of one value a minute, when the alert fires and when it does not."""

    series: dict[str, str]
    fires: str
    rests: tuple[str, ...]
    labels: dict[str, str] = field(default_factory=dict)
    value: str = ""
    #: Only what a sum keeps: the series' own labels are gone.
    summed: bool = False


def gauge(name: str, bad: float, good: float, labels: str = "", minutes: int = 60) -> dict[str, str]:
    """Good for ten minutes, bad for so many, then good again."""
    return {f"{name}{{{','.join(filter(None, (HERE, labels)))}}}": f"{good}x9 {bad}x{minutes - 1} {good}x200"}


def counter(name: str, labels: str, bad: float, good: float, minutes: int = 60) -> dict[str, str]:
    """Grows by `good` a minute, then by `bad`, then by `good`."""
    middle, end = good * 9, good * 9 + bad * minutes
    steps = f"0+{good}x9 {middle + bad}+{bad}x{minutes - 1} {end + good}+{good}x200"
    return {f"{name}{{{HERE},{labels}}}": steps}


def simple(name: str, bad: float, good: float, value: str = "", fires: str = "30m", **labels: str) -> Try:
    words = ",".join(f'{key}="{word}"' for key, word in labels.items())
    return Try(gauge(name, bad, good, words), fires, ("5m", "80m"), labels, value)


PROVINCE, ECOLOGY = {"destination": "province"}, {"party": "ecology", "dataset": "punish_action"}
PUNISHED = {"destination": "province", "dataset": "punish_action"}
TRIES: dict[str, Try] = {
    "HubDown": simple("up", 0, 1),
    "HubNotWatched": Try({f"up{{{HERE}}}": "1x9 _x60 1x100"}, "60m", ("5m", "75m"), summed=True),
    "LedgerDown": simple("hub_ledger_up", 0, 1),
    "BrokerDown": simple("hub_broker_up", 0, 1),
    "WorkersMissing": Try(
        gauge("hub_workers", 1, 2, 'role="translate"') | gauge("hub_workers_wanted", 2, 2, 'role="translate"'),
        "30m",
        ("5m", "80m"),
        {"role": "translate"},
    ),
    "WorkersDie": Try(
        counter("hub_worker_deaths_total", 'role="dispatch"', 1, 0),
        "30m",
        ("5m", "100m"),
        {"role": "dispatch"},
    ),
    "NobodyElected": simple("hub_scheduler_elected", 0, 1),
    "JournalNotSealed": simple("hub_journal_unsealed_oldest_seconds", 700, 130),
    "DeadLetters": simple("hub_queue_messages", 3, 0, "3", queue="hub.dead"),
    "OutboxOld": simple("hub_outbox_oldest_seconds", 1000, 2),
    "DiskLow": simple("hub_state_free_bytes", 4e9, 50e9),
    "DiskFillsUp": Try(
        {f"hub_state_free_bytes{{{HERE}}}": "100000000000x60 100000000000-50000000x600 100000000000x700"},
        "480m",
        ("30m", "1200m"),
    ),
    "DestinationDown": simple("hub_destination_up", 0, 1, **PROVINCE),
    "BacklogOld": Try(
        gauge("hub_destination_oldest_seconds", 4000, 20, 'destination="province",state="waiting"'),
        "30m",
        ("5m", "15m", "80m"),
        PROVINCE,
        summed=True,
    ),
    "DeliveriesFail": Try(
        counter("hub_delivery_failures_total", 'destination="province",code="system-unreachable"', 6, 0)
        | counter("hub_parcel_receipt_seconds_count", 'destination="province"', 2, 2),
        "50m",
        ("9m", "120m"),
        PROVINCE,
        summed=True,
    ),
    "ReceiptsLate": Try(
        counter("hub_parcel_receipt_seconds_bucket", 'destination="province",le="60"', 0, 5, 120)
        | counter("hub_parcel_receipt_seconds_bucket", 'destination="province",le="21600"', 0, 5, 120)
        | counter("hub_parcel_receipt_seconds_bucket", 'destination="province",le="86400"', 5, 5, 120)
        | counter("hub_parcel_receipt_seconds_bucket", 'destination="province",le="+Inf"', 5, 5, 120),
        "120m",
        ("9m", "300m"),
        PROVINCE,
        summed=True,
    ),
    "ManyRefused": Try(
        counter("hub_answered_records_total", 'destination="province",dataset="punish_action",result="refused"', 30, 1)
        | counter(
            "hub_answered_records_total", 'destination="province",dataset="punish_action",result="accepted"', 70, 99
        ),
        "60m",
        ("9m", "150m"),
        PUNISHED,
        summed=True,
    ),
    "CanaryLate": simple("hub_canary_age_seconds", 2000, 200, route="province"),
    "NotJudged": simple("hub_submissions_oldest_seconds", 1000, 3, state="stalled"),
    "FeedSilent": Try(
        gauge("hub_cases_open", 2, 0, 'party="ecology",class="1"'),
        "30m",
        ("5m", "80m"),
        {"party": "ecology", "class": "1"},
        "2",
    ),
    "ManyRejected": Try(
        counter("hub_records_total", 'party="ecology",dataset="punish_action",verdict="rejected"', 30, 1)
        | counter("hub_records_total", 'party="ecology",dataset="punish_action",verdict="read"', 100, 100),
        "60m",
        ("9m", "150m"),
        ECOLOGY,
        summed=True,
    ),
    "CasesDueTomorrow": Try(
        gauge("hub_cases_due_tomorrow", 4, 0, 'class="2"'), "30m", ("5m", "80m"), {"class": "2"}, "4"
    ),
    "CasesOverdue": Try(gauge("hub_cases_overdue", 4, 0, 'class="2"'), "30m", ("5m", "80m"), {"class": "2"}, "4"),
    "CasesWithoutDue": simple("hub_cases_without_due", 5, 0, "5"),
    "TasksOverdue": simple("hub_tasks_overdue", 2, 0, "2", flow="clue"),
    "TasksInPool": simple("hub_tasks_pool", 2, 0, "2", "60m", flow="clue"),
    # The clock of promtool begins at 1970: the year to come is 1970, too.
    "CalendarMissing": simple("hub_calendar_last_year", 1969, 1970),
    "CertificateExpiring": simple(
        "hub_certificate_expiry_timestamp_seconds", 20 * 86400, 100 * 86400, used_by="destination province"
    ),
    "KeyExpiring": simple("hub_key_expiry_timestamp_seconds", 10 * 86400, 100 * 86400, party="ecology"),
}


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def rendered(text: str, labels: dict[str, str], value: str) -> str:
    text = re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels.get(found[1], ""), text)
    return text.replace("{{ $value }}", value)


def trial(rule: dict[str, Any], one: Try) -> dict[str, Any]:
    """What promtool is asked about one rule."""
    own = dict(re.findall(r'(\w+)="([^"]*)"', HERE)) if not one.summed else {}
    if rule["alert"] == "HubNotWatched":
        own = {"job": "supervision-exchange-hub"}
    seen = own | one.labels
    expected = {
        "exp_labels": seen | rule["labels"],
        "exp_annotations": {k: rendered(text, seen, one.value) for k, text in rule["annotations"].items()},
    }
    asked = [{"eval_time": one.fires, "alertname": rule["alert"], "exp_alerts": [expected]}]
    asked += [{"eval_time": when, "alertname": rule["alert"], "exp_alerts": []} for when in one.rests]
    return {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in one.series.items()],
        "alert_rule_test": asked,
    }


def run(folder: Path, tests: list[dict[str, Any]], rule_file: Path = RULES) -> None:
    path = folder / "alerts.test.yml"
    body = {"rule_files": [str(rule_file)], "evaluation_interval": "1m", "tests": tests}
    path.write_text(yaml.safe_dump(body, allow_unicode=True), "utf-8")
    promtool("test", "rules", path)


def test_the_rules_are_right_by_promtool() -> None:
    said = promtool("check", "rules", RULES)
    assert f"SUCCESS: {len(rules())} rules found" in said


def test_every_alert_has_a_trial() -> None:
    assert [rule["alert"] for rule in rules()] == list(TRIES)


def test_every_alert_fires_when_it_should_and_recovers(tmp_path: Path) -> None:
    run(tmp_path, [trial(rule, TRIES[rule["alert"]]) for rule in rules()])


@pytest.mark.parametrize("alert", ["CalendarMissing", "ManyRejected", "HubDown"])
def test_a_rule_that_never_fires_is_noticed(tmp_path: Path, alert: str) -> None:
    words = yaml.safe_load(RULES.read_text("utf-8"))
    for group in words["groups"]:
        for rule in group["rules"]:
            if rule["alert"] == alert:
                rule["expr"] = f"({rule['expr']}) and vector(0) > 1"
    broken = tmp_path / "broken.yml"
    broken.write_text(yaml.safe_dump(words, allow_unicode=True), "utf-8")
    rule = next(rule for rule in rules() if rule["alert"] == alert)
    with pytest.raises(PromtoolSaysNo, match=alert):
        run(tmp_path, [trial(rule, TRIES[alert])], broken)


def test_every_alert_names_metrics_that_are_there_and_says_who_must_act() -> None:
    for rule in rules():
        named = set(re.findall(r"\bhub_[a-z_]+", rule["expr"]))
        assert named <= set(SAMPLES), rule["alert"]
        assert rule["annotations"]["action"], rule["alert"]
        assert rule["labels"]["severity"] in ("page", "ticket"), rule["alert"]
        labels = set(re.findall(r"\$labels\.([a-z_]+)", rule["annotations"]["summary"]))
        known = {label for name in named for label in SAMPLES[name].labels} | {"instance"}
        assert labels <= known, rule["alert"]

"""Metrics for machines, in the text format of Prometheus: a closed set of names and labels, no content, no persons.

Everything is read from the ledger when it is asked for, so that any process may answer and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST

Family = GaugeMetricFamily | CounterMetricFamily | HistogramMetricFamily


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One name: what it means and which labels it has."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kind: Kind = Kind.GAUGE

    @property
    def samples(self) -> tuple[str, ...]:
        """The names it has in the text."""
        match self.kind:
            case Kind.COUNTER:
                return (f"{self.name}_total",)
            case Kind.HISTOGRAM:
                return (f"{self.name}_bucket", f"{self.name}_count", f"{self.name}_sum")
            case _:
                return (self.name,)


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a metric."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spread:
    """One histogram: how many up to each bound, and the sum of all."""

    name: str
    buckets: Sequence[tuple[str, float]]
    total: float
    labels: Mapping[str, str] = field(default_factory=dict)


METRICS: Mapping[str, Metric] = {
    one.name: one
    for one in (
        Metric("hub_info", "Version of this hub.", ("version", "hub", "level")),
        Metric("hub_generation_number", "Number of the settings in force."),
        # Stages
        Metric("hub_records", "Records by verdict.", ("party", "dataset", "verdict"), Kind.COUNTER),
        Metric("hub_findings", "Findings by code.", ("dataset", "code"), Kind.COUNTER),
        Metric("hub_routed_records", "Records routed to a destination.", ("destination", "dataset"), Kind.COUNTER),
        Metric(
            "hub_answered_records",
            "Records a destination accepted or refused.",
            ("destination", "dataset", "result"),
            Kind.COUNTER,
        ),
        Metric(
            "hub_delivery_failures",
            "Attempts at a destination that failed, by error.",
            ("destination", "code"),
            Kind.COUNTER,
        ),
        Metric(
            "hub_submission_judging_seconds", "Time from received to judged, test aside.", ("dataset",), Kind.HISTOGRAM
        ),
        Metric("hub_parcel_receipt_seconds", "Time from judged to the receipt.", ("destination",), Kind.HISTOGRAM),
        Metric("hub_submissions_unfinished", "Hand-overs that are not judged.", ("state",)),
        Metric("hub_submissions_oldest_seconds", "Age of the oldest of them.", ("state",)),
        Metric("hub_connection_last_seen_timestamp_seconds", "When a connection last handed over.", ("connection",)),
        Metric("hub_holds_open", "Records that wait for something."),
        Metric("hub_replays_running", "Replays under way."),
        # Queues
        Metric("hub_broker_up", "1: the broker answers."),
        Metric("hub_queue_messages", "Messages that wait in a queue.", ("queue",)),
        Metric("hub_outbox_messages", "Messages that wait to be carried."),
        Metric("hub_outbox_oldest_seconds", "Age of the oldest of them."),
        # Destinations
        Metric("hub_destination_up", "1: takes parcels; 0: down, paused or stopped.", ("destination",)),
        Metric("hub_destination_failures", "Failures in a row.", ("destination",)),
        Metric("hub_destination_backlog_records", "Records in parcels by state.", ("destination", "state")),
        Metric("hub_destination_oldest_seconds", "Age of the oldest parcel by state.", ("destination", "state")),
        Metric("hub_destination_last_success_timestamp_seconds", "When it last took one.", ("destination",)),
        Metric("hub_canary_age_seconds", "Time since a canary last came back.", ("route",)),
        # Cases and tasks
        Metric("hub_cases_open", "Open cases.", ("party", "class")),
        Metric("hub_cases_due_tomorrow", "Open cases whose term ends by tomorrow evening.", ("class",)),
        Metric("hub_cases_overdue", "Open cases over their term.", ("class",)),
        Metric("hub_cases_without_due", "Open cases whose year has no calendar."),
        Metric("hub_tasks_open", "Open tasks.", ("flow", "state")),
        Metric("hub_tasks_overdue", "Open tasks over their term.", ("flow",)),
        Metric("hub_tasks_pool", "Open tasks that belong to nobody.", ("flow",)),
        Metric("hub_calendar_last_year", "Last year whose working days are known."),
        # The machine
        Metric("hub_workers", "Worker processes that live.", ("role",)),
        Metric("hub_workers_wanted", "Worker processes there should be.", ("role",)),
        Metric("hub_worker_deaths", "Worker processes that died and were started again.", ("role",), Kind.COUNTER),
        Metric("hub_scheduler_elected", "1: somebody looks after holds, terms, seals and retries."),
        Metric("hub_journal_unsealed_oldest_seconds", "Age of the first row of the journal without a seal."),
        Metric("hub_ledger_up", "1: the ledger answers."),
        Metric("hub_ledger_read_seconds", "Time it took to read these figures."),
        Metric("hub_ledger_size_bytes", "Size of the database."),
        Metric("hub_alarms_open", "Open alarms.", ("rule",)),
        Metric("hub_state_free_bytes", "Free space where the state folder is."),
        Metric("hub_state_size_bytes", "Size of the disk where the state folder is."),
        Metric("hub_key_expiry_timestamp_seconds", "When the last key of a party ends.", ("party",)),
        Metric("hub_certificate_expiry_timestamp_seconds", "When a certificate in use ends.", ("used_by",)),
    )
}


class UnknownMetric(ValueError):
    """A fact of a name, or with labels, that is not in the closed set."""


class _Facts(Collector):
    def __init__(self, facts: Iterable[Fact], spreads: Iterable[Spread]) -> None:
        self._facts = list(facts)
        self._spreads = list(spreads)

    def collect(self) -> Iterable[Family]:
        made: dict[str, Family] = {}
        for fact in self._facts:
            metric = _known(fact.name, fact.labels)
            if fact.name not in made:
                kind = CounterMetricFamily if metric.kind is Kind.COUNTER else GaugeMetricFamily
                made[fact.name] = kind(metric.name, metric.help, labels=metric.labels)
            family = made[fact.name]
            assert not isinstance(family, HistogramMetricFamily), fact.name
            family.add_metric([fact.labels[name] for name in metric.labels], fact.value)
        for spread in self._spreads:
            metric = _known(spread.name, spread.labels)
            held = made.setdefault(spread.name, HistogramMetricFamily(metric.name, metric.help, labels=metric.labels))
            assert isinstance(held, HistogramMetricFamily), spread.name
            held.add_metric([spread.labels[name] for name in metric.labels], spread.buckets, spread.total)
        return made.values()


def _known(name: str, labels: Mapping[str, str]) -> Metric:
    metric = METRICS.get(name)
    if metric is None or set(labels) != set(metric.labels):
        raise UnknownMetric(f"{name} {sorted(labels)}")
    return metric


def render(facts: Iterable[Fact], spreads: Iterable[Spread] = ()) -> bytes:
    """The text that is scraped.  Raises UnknownMetric."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(facts, spreads))
    return generate_latest(registry)

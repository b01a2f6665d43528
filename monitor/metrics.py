"""Metrics for machines, in the text format of Prometheus: a closed set of names and labels, no content, no persons.

Everything is read from the ledger when it is asked for, so that any process may answer and nothing is counted twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

CONTENT_TYPE = CONTENT_TYPE_LATEST


@dataclass(frozen=True, slots=True)
class Metric:
    """One name: what it means and which labels it has."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """One value of a metric."""

    name: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


METRICS: Mapping[str, Metric] = {
    one.name: one
    for one in (
        Metric("hub_info", "Version of this hub.", ("version", "hub", "level")),
        Metric("hub_records", "Records by verdict since the beginning.", ("party", "dataset", "verdict"), counter=True),
        Metric("hub_findings", "Findings by code since the beginning.", ("dataset", "code"), counter=True),
        Metric("hub_routed_records", "Records routed to a destination.", ("destination", "dataset"), counter=True),
        Metric("hub_submissions_unfinished", "Hand-overs that are not judged.", ("state",)),
        Metric("hub_submissions_oldest_seconds", "Age of the oldest of them.", ("state",)),
        Metric("hub_outbox_messages", "Messages that wait to be carried."),
        Metric("hub_outbox_oldest_seconds", "Age of the oldest of them."),
        Metric("hub_destination_up", "1: takes parcels; 0: down, paused or stopped.", ("destination",)),
        Metric("hub_destination_failures", "Failures in a row.", ("destination",)),
        Metric("hub_destination_backlog_records", "Records in parcels by state.", ("destination", "state")),
        Metric("hub_destination_oldest_seconds", "Age of the oldest parcel by state.", ("destination", "state")),
        Metric("hub_destination_last_success_timestamp_seconds", "When it last took one.", ("destination",)),
        Metric("hub_connection_last_seen_timestamp_seconds", "When a connection last handed over.", ("connection",)),
        Metric("hub_cases_open", "Open cases.", ("party", "class")),
        Metric("hub_cases_overdue", "Open cases over their term.", ("class",)),
        Metric("hub_cases_without_due", "Open cases whose year has no calendar."),
        Metric("hub_holds_open", "Records that wait for something."),
        Metric("hub_tasks_open", "Open tasks.", ("flow", "state")),
        Metric("hub_tasks_overdue", "Open tasks over their term.", ("flow",)),
        Metric("hub_tasks_pool", "Open tasks that belong to nobody.", ("flow",)),
        Metric("hub_replays_running", "Replays under way."),
        Metric("hub_calendar_last_year", "Last year whose working days are known."),
        Metric("hub_state_free_bytes", "Free space where the state folder is."),
    )
}


class UnknownMetric(ValueError):
    """A fact of a name, or with labels, that is not in the closed set."""


class _Facts(Collector):
    def __init__(self, facts: Iterable[Fact]) -> None:
        self._facts = list(facts)

    def collect(self) -> Iterable[GaugeMetricFamily | CounterMetricFamily]:
        made: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
        for fact in self._facts:
            metric = METRICS.get(fact.name)
            if metric is None or set(fact.labels) != set(metric.labels):
                raise UnknownMetric(f"{fact.name} {sorted(fact.labels)}")
            if fact.name not in made:
                kind = CounterMetricFamily if metric.counter else GaugeMetricFamily
                made[fact.name] = kind(metric.name, metric.help, labels=metric.labels)
            made[fact.name].add_metric([fact.labels[name] for name in metric.labels], fact.value)
        return made.values()


def render(facts: Iterable[Fact]) -> bytes:
    """The text that is scraped.  Raises UnknownMetric."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Facts(facts))
    return generate_latest(registry)

"""Traces: one pushed record is one trace, over HTTP, the broker, two hubs and the receipt; ids and no content."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from demo import ecology
from hub import telemetry
from hub.broker.envelope import closed, opened
from hub.ledger import credentials
from hub.settings import Settings
from standards import tracing
from standards.errors import BadConfiguration, SystemUnreachable
from tests.hub.city import until
from tests.hub.levels.chain import Chain, chain
from tests.receiver import Receiver

TRACE, SENDER = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
TRACEPARENT = f"00-{TRACE}-{SENDER}-01"
HUB = {"name": "city", "title": "市", "level": "city", "region": "140200", "code": "x"}
SETTINGS = Settings.model_validate({"hub": HUB})


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    """Where the spans of this process go, during a test."""
    exporter = InMemorySpanExporter()
    provider = telemetry.provider_of(SETTINGS, SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    telemetry.end(provider)


def pushed(made: Chain, **headers: str) -> None:
    """One record by HTTP to the lowest hub, and on until the nation was heard."""
    hub = made.lowest
    key = hub.ledger.write(lambda c: credentials.make(c, "bureau", hub.clock.now(), by="test"))[1]
    answer = httpx2.post(
        f"{made.links[0].running.address}/v1/submissions?connection=penalties&name=张三的处罚.csv",
        content=b"".join(ecology.pieces(ecology.rows(1))),
        headers={"authorization": f"Bearer {key}", "content-type": "text/csv", **headers},
    )
    assert answer.status_code == 202, answer.text
    number = answer.json()["receipt_no"]
    until(lambda: hub.receipts.state(number) == "settled", 60)


def above(span: ReadableSpan, found: dict[int, ReadableSpan]) -> list[str]:
    """The names from a span up to the root."""
    names = [span.name]
    while span.parent is not None and span.parent.span_id in found:
        span = found[span.parent.span_id]
        names.append(span.name)
    return names


@pytest.mark.parametrize("carrier", ["embedded", "rabbitmq"])
def test_one_record_is_one_trace_from_the_sender_through_two_hubs_to_the_receipt(
    carrier: str, tmp_path: Path, spans: InMemorySpanExporter, request: pytest.FixtureRequest
) -> None:
    receiver = Receiver(level="nation").start()
    url = request.getfixturevalue("amqp_url") if carrier == "rabbitmq" else ""
    own = {level: f'[broker]\nurl = "{url}"\nprefix = "{level}."' for level in ("city", "province")}

    with chain(tmp_path, ("city", "province"), receiver, own=own) as made:
        pushed(made, traceparent=TRACEPARENT)
        # The server's span of the last answer ends after the answer was read.
        until(lambda: len([s for s in spans.get_finished_spans() if s.name.startswith("POST")]) >= 2, 10)
    receiver.stop()

    ours = [span for span in spans.get_finished_spans() if span.context and span.context.trace_id == int(TRACE, 16)]
    found = {span.context.span_id: span for span in ours if span.context}
    names = Counter(span.name for span in ours)
    for name in ("intake", "translate", "translate chunk", "store chunk", "dispatch parcel", "deliver", "receipt"):
        assert names[name] == 2, (name, names)
    assert (names["POST /v1/submissions"], names["POST /v1/parcels"]) == (1, 1), names
    roots = [span for span in ours if span.parent is None or span.parent.span_id not in found]
    assert [(span.name, span.parent and span.parent.span_id) for span in roots] == [
        ("POST /v1/submissions", int(SENDER, 16))
    ]
    [last] = [span for span in ours if span.name == "deliver" and "POST /v1/parcels" in above(span, found)]
    road = ["deliver", "dispatch parcel", "store chunk", "translate chunk", "translate", "intake"]
    assert above(last, found) == [*road, "POST /v1/parcels", *road, "POST /v1/submissions"]
    assert {trace.split("-")[1] for trace in receiver.traces} == {TRACE}
    assert last.context is not None
    assert receiver.traces[-1].split("-")[2] == f"{last.context.span_id:016x}"
    told = " ".join(str(dict(span.attributes or {})) + span.name for span in spans.get_finished_spans())
    assert "张三" not in told
    assert "%E5%BC%A0" not in told
    assert next(ecology.rows(1)).key not in told


def test_without_a_provider_the_callers_trace_is_handed_on(tmp_path: Path) -> None:
    receiver = Receiver(level="nation").start()
    with chain(tmp_path, ("city",), receiver) as made:
        pushed(made, traceparent=TRACEPARENT)
    receiver.stop()

    assert receiver.traces == [TRACEPARENT]


def test_an_error_is_told_by_its_code_and_not_by_its_text(spans: InMemorySpanExporter) -> None:
    with (
        pytest.raises(SystemUnreachable),
        tracing.span("outer", TRACEPARENT),
        tracing.span("inner"),
    ):
        raise SystemUnreachable("the answer of 张三 was lost")

    inner, outer = spans.get_finished_spans()
    assert inner.parent is not None
    assert outer.context is not None
    assert inner.parent.span_id == outer.context.span_id
    assert inner.status.description == SystemUnreachable.code
    assert not inner.events
    assert "张三" not in inner.to_json()


def test_the_context_behind_a_message_is_only_a_right_one() -> None:
    assert opened(closed(b"body", TRACEPARENT)) == (b"body", TRACEPARENT)
    for wrong in ("", "00-x-y-01", TRACEPARENT + "\n", "轨迹"):
        assert opened(closed(b"\x00\xff\n", wrong)) == (b"\x00\xff\n", "")


def test_spans_are_recorded_only_where_a_collector_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    assert telemetry.begin(SETTINGS, {}) is None
    assert telemetry.begin(SETTINGS, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "true"}) is None

    made = telemetry.begin(SETTINGS, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"})
    assert made is not None
    assert tracing.provider() is made
    assert made.resource.attributes["service.instance.id"] == "city"
    telemetry.end(made)
    assert tracing.provider() is None

    monkeypatch.setitem(__import__("sys").modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(BadConfiguration, match="otel"):
        telemetry.begin(Settings.model_validate({"hub": HUB, "trace": {"endpoint": "http://c:4318/v1/traces"}}), {})

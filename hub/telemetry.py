"""Where spans go: OpenTelemetry's SDK, an extra, only when settings or environment name a collector."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog

from hub.settings import Settings
from standards import tracing
from standards.errors import BadConfiguration

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor, TracerProvider

    Spans = TracerProvider

log = structlog.get_logger()

_ADDRESSES = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")


def begin(settings: Settings, environment: Mapping[str, str] = os.environ) -> TracerProvider | None:
    """Record spans in this process if a collector is named.  Raises BadConfiguration without the extra `otel`."""
    named = settings.trace.endpoint or any(environment.get(name) for name in _ADDRESSES)
    if not named or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        raise BadConfiguration(
            "traces need the extra 'otel'",
            what_zh="链路追踪需要安装附加组件 otel",
            hint="pip install 'supervision-exchange-hub[otel]', or leave trace.endpoint empty",
            hint_zh="pip install 'supervision-exchange-hub[otel]'，或将 trace.endpoint 留空",
        ) from error
    # Without an address of ours the exporter reads the environment itself.
    exporter = OTLPSpanExporter(endpoint=settings.trace.endpoint or None)
    made = provider_of(settings, BatchSpanProcessor(exporter))
    tracing.use(made)
    log.info("spans are recorded", action="tracing", share=settings.trace.share)
    return made


def end(provider: TracerProvider | None) -> None:
    """Send what was not sent yet, and record no more."""
    if provider is not None:
        tracing.use(None)
        provider.shutdown()


def provider_of(settings: Settings, processor: SpanProcessor) -> TracerProvider:
    """A provider that says who this hub is and leaves out what a caller may have written into an address."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import SpanProcessor as Processor
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    class NoQueries(Processor):
        """The query of an address may hold a file's name: only that there was one is kept."""

        def on_start(self, span: Any, parent_context: Any = None) -> None:
            if (span.attributes or {}).get("url.query"):
                span.set_attribute("url.query", "REDACTED")

    hub = settings.hub
    words = {"service.name": "supervision-exchange-hub", "service.instance.id": hub.name, "hub.level": hub.level}
    made = TracerProvider(sampler=ParentBasedTraceIdRatio(settings.trace.share), resource=Resource.create(words))
    made.add_span_processor(NoQueries())
    made.add_span_processor(processor)
    return made

"""W3C trace context: one trace id from the sender's row to the nation's acknowledgement, and the spans of the work.

The one home of OpenTelemetry's API.  Without a provider (`use`) spans are not recorded, but the context is handed on
all the same: a trace goes through a hub that keeps none.  Spans hold ids and counts, never content; an error is told by
its code, not by its text.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from opentelemetry import context, trace
from opentelemetry.trace import Span, SpanKind, StatusCode, TracerProvider
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from standards.errors import HubError

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")
_PROPAGATOR = TraceContextTextMapPropagator()
_NAME = "supervision-exchange-hub"

Kind = SpanKind


@dataclass(slots=True)
class _Kept:
    """Where spans go, in this process."""

    provider: TracerProvider | None = None


_kept = _Kept()


def use(provider: TracerProvider | None) -> None:
    """Record spans with this provider from now on; None: no more."""
    _kept.provider = provider


def provider() -> TracerProvider | None:
    """Where spans go; None when they are not recorded."""
    return _kept.provider


def accept(header: str | None) -> str:
    """The caller's traceparent when it is a right one, else a new one."""
    if _is_right(header or ""):
        return str(header)
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def incoming(header: str | None) -> str:
    """What work that a caller asks for hangs below: the span of the call itself, else the caller's, else a new one."""
    return current() or accept(header)


def child(traceparent: str) -> str:
    """The same trace with a new span, for the next hop."""
    found = _TRACEPARENT.match(traceparent)
    if found is None:
        return accept(None)
    return f"00-{found[1]}-{secrets.token_hex(8)}-01"


def current() -> str:
    """The traceparent of the work under way; empty when there is none."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier)
    return carrier.get("traceparent", "")


def outgoing() -> dict[str, str]:
    """Headers for a call to the outside."""
    here = current()
    return {"traceparent": here} if here else {}


@contextmanager
def span(name: str, parent: str = "", *, kind: Kind = Kind.INTERNAL, **words: str | int) -> Iterator[Span]:
    """A span of work below `parent` (a traceparent), else below the work under way."""
    above = _PROPAGATOR.extract({"traceparent": parent}) if _is_right(parent) else context.get_current()
    if _kept.provider is None:
        token = context.attach(above)
        try:
            yield trace.INVALID_SPAN
        finally:
            context.detach(token)
        return
    tracer = _kept.provider.get_tracer(_NAME)
    made = tracer.start_span(name, above, kind, {f"hub.{word}": value for word, value in words.items()})
    try:
        with trace.use_span(made, record_exception=False, set_status_on_exception=False):
            yield made
    except Exception as error:
        made.set_status(StatusCode.ERROR, error.code if isinstance(error, HubError) else type(error).__name__)
        raise
    finally:
        made.end()


def _is_right(traceparent: str) -> bool:
    found = _TRACEPARENT.match(traceparent)
    return found is not None and found[1] != "0" * 32 and found[2] != "0" * 16

"""A message's trace context travels behind its body through the outbox; on RabbitMQ it is the header `traceparent`."""

from __future__ import annotations

import re

_TAIL = re.compile(rb"\n([0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2})\Z")
_LENGTH = 56


def closed(body: bytes, traceparent: str) -> bytes:
    """The body with the context behind it, as it lies in the outbox."""
    tail = b"\n" + traceparent.encode("ascii", "replace")
    return body + tail if _TAIL.fullmatch(tail) else body


def opened(body: bytes) -> tuple[bytes, str]:
    """The body and the context; '' when it has none."""
    found = _TAIL.search(body, max(0, len(body) - _LENGTH))
    return (body[: found.start()], found[1].decode("ascii")) if found else (body, "")

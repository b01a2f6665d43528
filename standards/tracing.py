"""W3C trace context: one trace id from the sender's row to the nation's acknowledgement."""

from __future__ import annotations

import re
import secrets

_TRACEPARENT = re.compile(r"^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$")


def accept(header: str | None) -> str:
    """The caller's traceparent when it is a right one, else a new one."""
    found = _TRACEPARENT.match(header or "")
    if found and found[1] != "0" * 32 and found[2] != "0" * 16:
        return str(header)
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"


def child(traceparent: str) -> str:
    """The same trace with a new span, for the next hop."""
    found = _TRACEPARENT.match(traceparent)
    if found is None:
        return accept(None)
    return f"00-{found[1]}-{secrets.token_hex(8)}-01"

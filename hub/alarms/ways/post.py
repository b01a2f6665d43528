"""One POST of JSON to a contact's server; addresses hold keys, so errors name the host only."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.transport import HttpSettings, HttpTransport
from hub.alarms.settings import Contact

_CONNECT, _ANSWER = 5.0, 15.0


def post(contact: Contact, url: str, body: bytes, headers: Mapping[str, str] | None = None) -> Any:
    """The answer as JSON, None when it is none.  Raises as HttpTransport.request."""
    settings = HttpSettings(
        url=url, connect_seconds=_CONNECT, answer_seconds=_ANSWER, quick_tries=1, ca_file=contact.ca_file
    )
    http = HttpTransport(settings)
    try:
        given = {"content-type": "application/json; charset=utf-8", **(headers or {})}
        answer = http.request("POST", url, content=body, headers=given)
    finally:
        http.close()
    try:
        return answer.json()
    except ValueError:
        return None


def packed(words: Mapping[str, Any]) -> bytes:
    """JSON as it is sent."""
    return json.dumps(words, ensure_ascii=False, separators=(",", ":")).encode()

"""A letter as signed JSON to an address of the contact.

`x-hub-timestamp` holds seconds since 1970, `x-hub-signature` `sha256=` and HMAC-SHA256 of `<timestamp>.<body>` with the
contact's secret, in hexadecimal digits; `x-hub-message` is the same in every repeat of a message.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

from hub.alarms.letter import Letter
from hub.alarms.settings import Contact
from hub.alarms.ways.post import packed, post


def send(contact: Contact, secret: Callable[[str], str], letter: Letter) -> None:
    """Post it; any answer of 2xx means that it was taken."""
    body = packed({"id": letter.id, "title": letter.title, "text": letter.text, **letter.facts})
    stamp = str(int(time.time()))
    headers = {"x-hub-message": letter.id, "x-hub-timestamp": stamp}
    if contact.secret is not None:
        headers["x-hub-signature"] = f"sha256={signature(secret(contact.secret), stamp, body)}"
    post(contact, contact.url, body, headers)


def signature(secret: str, stamp: str, body: bytes) -> str:
    """What the receiver compares with."""
    return hmac.new(secret.encode(), stamp.encode() + b"." + body, hashlib.sha256).hexdigest()

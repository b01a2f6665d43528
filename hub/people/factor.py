"""The second factor: codes of an authenticator (TOTP, RFC 6238), its QR code, recovery codes.

pyotp and segno live here.  Thirty seconds a step; the step before and the one after count too, for clocks that differ.
"""

from __future__ import annotations

import io
import secrets
from datetime import datetime

import pyotp
import segno

_STEP = 30
_AROUND = 1
_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


def new_secret() -> str:
    """A secret for an authenticator: 160 random bits in base32."""
    return pyotp.random_base32()


def step_of(secret: str, code: str, now: datetime) -> int | None:
    """Which step this code is of; None when it is none of those that count now."""
    code = code.replace(" ", "")
    if not (len(code) == 6 and code.isascii() and code.isdigit()):
        return None
    present = int(now.timestamp()) // _STEP
    maker = pyotp.TOTP(secret)
    found = None
    for step in range(present - _AROUND, present + _AROUND + 1):
        if secrets.compare_digest(maker.at(step * _STEP), code):
            found = step
    return found


def code_at(secret: str, now: datetime) -> str:
    """What an authenticator shows."""
    return pyotp.TOTP(secret).at(int(now.timestamp()))


def address(secret: str, name: str, hub: str) -> str:
    """What the QR code says."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name=hub)


def picture(text: str) -> str:
    """A QR code as SVG that stands in the page itself: no other request, no style that the policy forbids."""
    held = io.BytesIO()
    segno.make(text, error="m").save(
        held, kind="svg", scale=4, border=4, xmldecl=False, svgns=False, dark="#000", light="#fff", nl=False
    )
    return held.getvalue().decode("utf-8")


def recovery_codes() -> list[str]:
    """Ten codes to write down, each for once: 80 random bits."""
    return ["-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(4)) for _ in range(_CODES)]

"""Keys and certificates that end: read from the ledger, from files, and asked of https servers now and then."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import Connection, select

from hub.alarms.facts import Expiry
from hub.alarms.settings import Alarms
from hub.ledger.tables import credential
from hub.settings import Settings
from hub.sight.machine import first_end

_EVERY = timedelta(hours=1)
_SECONDS = 10.0
#: Keys that live no longer than this were made by a log-in.
_SESSION = timedelta(days=2)
_HTTPS = "https://"


@dataclass(slots=True)
class Expiries:
    """What is known of certificates, looked at again every hour; by the postman, because servers may be slow."""

    _known: tuple[datetime, tuple[str, ...], tuple[Expiry, ...]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def found(self, connection: Connection, said: Alarms, now: datetime) -> tuple[Expiry, ...] | None:
        """Keys that end soon and every certificate; None until the certificates were looked at."""
        with self._lock:
            known = self._known
        if known is None:
            return None
        return (*_keys(connection, now + said.expiring), *known[2])

    def look(self, settings: Settings, now: datetime) -> bool:
        """Look at the certificates if it is time, or if others are named; True when it looked."""
        names = certificates_of(settings)
        with self._lock:
            known = self._known
        if known is not None and known[1] == names and now - known[0] < _EVERY:
            return False
        found = tuple(Expiry("certificate", name, ends_at(name)) for name in names)
        with self._lock:
            self._known = (now, names, found)
        return True


def _keys(connection: Connection, before: datetime) -> Iterator[Expiry]:
    """Keys that count and end; not those of a log-in, and what ended long ago is nobody's concern any more."""
    rows = connection.execute(
        select(credential.c.id, credential.c.party, credential.c.created_at, credential.c.expires_at).where(
            credential.c.revoked_at.is_(None),
            credential.c.expires_at < before,
            credential.c.expires_at > before - timedelta(days=90),
        )
    )
    for identifier, party, made_at, at in rows:
        if at - made_at > _SESSION:
            yield Expiry("key", f"{identifier} ({party})" if party else identifier, at)


def certificates_of(settings: Settings) -> tuple[str, ...]:
    """Those that are named to be watched, and every file of certificates that some settings name."""
    named = dict.fromkeys(settings.alarms.certificates)
    of_adapters = [one.settings for one in settings.destinations.values()]
    of_adapters += [one.settings for one in settings.connections.values()]
    of_adapters += [one.settings for one in settings.lookups.values()]
    for values in of_adapters:
        named |= dict.fromkeys(_files(values))
    more = [one.ca_file for one in settings.alarms.contacts.values()]
    if settings.alarms.mail is not None:
        more.append(settings.alarms.mail.ca_file)
    return tuple(named | dict.fromkeys(name for name in more if name))


def _files(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        if isinstance(value, Mapping):
            yield from _files(value)
        elif isinstance(value, str) and value and name in ("ca_file", "cert_file", "certificate", "certificate_file"):
            yield value


def ends_at(name: str) -> datetime | None:
    """When the first certificate of a file ends, or a server's own; None when it cannot be read."""
    if not name.startswith(_HTTPS):
        return first_end(Path(name))
    try:
        parts = urlsplit(name)
        text = ssl.get_server_certificate((parts.hostname or "", parts.port or 443), timeout=_SECONDS)
        return x509.load_pem_x509_certificate(text.encode()).not_valid_after_utc
    except (OSError, ValueError):
        return None

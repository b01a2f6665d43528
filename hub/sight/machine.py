"""The machine's side: worker processes, disk, the ledger's size, what expires."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from sqlalchemy import Connection, or_, select, text

from hub.ledger.engine import Ledger
from hub.ledger.tables import credential
from hub.settings import Settings
from hub.sight.counters import Told

#: A key that ended so long ago is nobody's worry any more.
_FORGOTTEN = timedelta(days=30)
#: Keys that live no longer than this were made by a log-in.
_SESSION = timedelta(days=2)


def workers(state: Path) -> Iterator[Told]:
    """Worker processes of this machine by role, as the supervisor wrote them down; nothing in a hub of one process."""
    wanted: dict[str, int] = {}
    alive: dict[str, int] = {}
    lines = _lines(state / "workers")
    if str(os.getpid()) not in {line[1] for line in lines}:
        return  # written by another run
    for name, pid in lines:
        role = name.partition("-")[0]
        wanted[role] = wanted.get(role, 0) + 1
        alive[role] = alive.get(role, 0) + _is_alive(int(pid))
    for role, count in wanted.items():
        yield "hub_workers_wanted", count, {"role": role}
        yield "hub_workers", alive[role], {"role": role}
    deaths: dict[str, int] = dict.fromkeys(wanted, 0)
    for name, count_ in _lines(state / "deaths"):
        deaths[name.partition("-")[0]] = deaths.get(name.partition("-")[0], 0) + int(count_)
    for role, count in deaths.items():
        yield "hub_worker_deaths", count, {"role": role}


def _lines(path: Path) -> list[tuple[str, str]]:
    try:
        words = [line.split() for line in path.read_text("ascii").splitlines()]
    except OSError:
        return []
    return [(pair[0], pair[1]) for pair in words if len(pair) == 2 and pair[1].isdigit()]


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def disk(state: Path) -> Iterator[Told]:
    """Space where the state folder is."""
    usage = shutil.disk_usage(state)
    yield "hub_state_free_bytes", usage.free, {}
    yield "hub_state_size_bytes", usage.total, {}


def ledger_size(connection: Connection, ledger: Ledger) -> Iterator[Told]:
    """Bytes of the database; SQLite's log, which holds what is newest, with it."""
    if ledger.name == "sqlite":
        path = Path(ledger.url.database or "")
        yield "hub_ledger_size_bytes", _size(path) + _size(path.with_name(f"{path.name}-wal")), {}
        return
    size = connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
    yield "hub_ledger_size_bytes", size, {}


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # SQLite puts its log away when nobody uses it
        return 0


def keys(connection: Connection, now: datetime) -> Iterator[Told]:
    """When the last key of a party ends; nothing for who has one without an end."""
    rows = connection.execute(
        select(credential.c.party, credential.c.created_at, credential.c.expires_at).where(
            credential.c.revoked_at.is_(None),
            or_(credential.c.expires_at.is_(None), credential.c.expires_at > now - _FORGOTTEN),
        )
    ).all()
    endless = {party for party, _, ends in rows if ends is None}
    last: dict[str, datetime] = {}
    for party, made, ends in rows:
        if party not in endless and ends - made > _SESSION:
            last[party] = max(ends, last.get(party, ends))
    for party, ends in sorted(last.items()):
        yield "hub_key_expiry_timestamp_seconds", ends.timestamp(), {"party": party}


def certificates(settings: Settings) -> Iterator[Told]:
    """When the first certificate of a file that an adapter trusts ends."""
    used: dict[str, dict[str, Any]] = {f"connection {n}": c.settings for n, c in settings.connections.items()}
    used |= {f"destination {n}": d.settings for n, d in settings.destinations.items()}
    used |= {f"lookup {n}": one.settings for n, one in settings.lookups.items()}
    for user, words in used.items():
        file = words.get("ca_file")
        ends = first_end(Path(file)) if isinstance(file, str) and file else None
        if ends is not None:
            yield "hub_certificate_expiry_timestamp_seconds", ends.timestamp(), {"used_by": user}


def first_end(path: Path) -> datetime | None:
    """When the first certificate of a PEM file ends; None when there is none that can be read."""
    try:
        found = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError):
        return None
    return min((one.not_valid_after_utc for one in found), default=None)

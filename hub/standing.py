"""The standing of every party this month, worked out behind the pages' backs: a report takes longer than a page may."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from standards.clock import Clock, local_text
from standards.errors import HubError

log = structlog.get_logger()

_KEPT = timedelta(minutes=10)
#: A page waits so long for the first one; small hubs are done by then.
_PATIENCE = 0.15


@dataclass(slots=True)
class Standing:
    """Remembers the report of the month; at most some minutes old."""

    #: Makes the report of the month.
    report: Callable[[], Mapping[str, Any]]
    clock: Clock
    _rows: dict[str, dict[str, Any]] = field(default_factory=dict)
    _at: datetime | None = None
    _work: threading.Thread | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _stopped: bool = False

    def of(self, party: str) -> dict[str, Any] | None:
        """Score, rank and shares of a party, and as of when; None while that is not known yet."""
        with self._lock:
            if self._at is None or self.clock.now() - self._at > _KEPT:
                self._begin()
            work = self._work
        if self._at is None and work is not None:
            work.join(_PATIENCE)
        if self._at is None:
            return None
        return {"as_of": local_text(self._at), "row": self._rows.get(party)}

    def _begin(self) -> None:
        if self._stopped or (self._work is not None and self._work.is_alive()):
            return
        self._work = threading.Thread(target=self._make, name="standing", daemon=True)
        self._work.start()

    def _make(self) -> None:
        try:
            found = self.report()
        except HubError as error:
            log.warning("no standing", action="standing_failed", error=error.code)
            return
        self._rows = {row["party"]: row for row in found["parties"]}
        self._at = self.clock.now()

    def stop(self) -> None:
        """Begin no more, and wait for the one that runs."""
        with self._lock:
            self._stopped = True
            work = self._work
        if work is not None:
            work.join(10)

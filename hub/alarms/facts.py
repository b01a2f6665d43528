"""What the rules look at: facts of one moment, without persons and content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits for one destination, or to be judged."""

    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """Open cases of one party that end on one day."""

    party: str
    day: date
    count: int
    #: Working days after today; None when nobody knows.
    left: int | None
    overdue: bool


@dataclass(frozen=True, slots=True)
class Expiry:
    """A key or certificate that ends."""

    #: key, or certificate.
    kind: str
    name: str
    #: None: it cannot be read.
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmFacts:
    """Everything that is looked at.  A rule named in `unknown` could not be looked at: nothing changes for it."""

    now: datetime
    #: Connection -> since when it is silent.
    silent: Mapping[str, datetime] = field(default_factory=dict)
    #: Connection -> records read and rejected lately.
    rates: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    #: Destination -> since when it is down.
    down: Mapping[str, datetime] = field(default_factory=dict)
    #: Destination -> what waits to be sent.
    waiting: Mapping[str, Backlog] = field(default_factory=dict)
    unjudged: Backlog | None = None
    due: tuple[Due, ...] = ()
    expiring: tuple[Expiry, ...] = ()
    #: Way -> for how long canaries have been sent there and not come back.
    canaries: Mapping[str, timedelta] = field(default_factory=dict)
    calendar_last_year: int = 9999
    free_bytes: int = 1 << 60
    #: Cases and tasks that have no due time.
    without_due: int = 0
    unknown: frozenset[str] = frozenset()

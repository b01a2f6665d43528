"""Time is handed in, never fetched: so tests and the demo can stand still."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present moment, with its zone (UTC)."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment in UTC."""
        return datetime.now(UTC)


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """The moment it was set to."""
        return self._now

    def forward(self, by: timedelta) -> None:
        """Let time pass."""
        self._now += by


def local(moment: datetime) -> datetime:
    """The moment as clocks in China show it."""
    return moment.astimezone(SHANGHAI)


def local_text(moment: datetime | None) -> str:
    """YYYY-MM-DD HH:MM:SS in China, '' for none."""
    return "" if moment is None else moment.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M:%S")

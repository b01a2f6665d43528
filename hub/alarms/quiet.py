"""Quiet hours: when a message may leave.  Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from standards.clock import SHANGHAI, local


def leaves_at(now: datetime, quiet: str, *, grave: bool) -> datetime:
    """Now, or the end of the quiet hours (`22:00-07:00`, clock of China) when they are on and it is not grave."""
    if not quiet or grave:
        return now
    begin, end = (time.fromisoformat(part) for part in quiet.split("-"))
    there = local(now)
    at = there.time()
    inside = begin <= at < end if begin <= end else at >= begin or at < end
    if not inside:
        return now
    day = there.date() + timedelta(days=1 if at >= end else 0)
    return datetime.combine(day, end, SHANGHAI)

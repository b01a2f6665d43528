"""When a delivery that failed is due again.  Pure: no clock, no ledger, no broker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from hub.settings import Retry
from standards.errors import BadSetup, HubError, ReceiverRefused, SystemBusy, SystemUnreachable, Temporary


class Next(StrEnum):
    """What happens to a parcel after a failed attempt."""

    AGAIN = "again"  # its own next time
    WITH_DESTINATION = "with_destination"  # when the destination answers again
    PARK = "park"  # given up
    IN_DOUBT = "in_doubt"  # it may have arrived, and a repeat could double
    REFUSED = "refused"  # the receiver said no to all of it
    SPLIT = "split"  # … and perhaps to one record only: try its halves


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do, and when."""

    next: Next
    due_at: datetime | None = None
    #: Set when the destination as a whole is down: when the next probe may go.
    probe_at: datetime | None = None
    #: True when an operator must act.
    setup: bool = False


def after_failure(
    error: HubError,
    *,
    attempt: int,
    count: int,
    since: datetime,
    now: datetime,
    retry: Retry,
    idempotent: str,
    chance: Callable[[], float],
) -> Decision:
    """What happens after attempt number `attempt` of a parcel of `count` records failed.

    `since`: from when patience counts.
    `chance` gives numbers in [0, 1): the jitter, so that waiting parcels do not come back in step.
    """
    lost = isinstance(error, SystemUnreachable) and error.answer_lost
    if lost and idempotent == "none":
        return Decision(next=Next.IN_DOUBT, probe_at=now + retry.probe)
    if isinstance(error, ReceiverRefused):
        return Decision(next=Next.SPLIT if count > 1 else Next.REFUSED)
    probe_at = _probe_at(error, now, retry)
    if now - since >= retry.give_up:
        # The parcel stops; the destination is tried again with another.
        return Decision(next=Next.PARK, probe_at=probe_at, setup=isinstance(error, BadSetup))
    if probe_at is not None:
        return Decision(next=Next.WITH_DESTINATION, due_at=now, probe_at=probe_at, setup=isinstance(error, BadSetup))
    wait = retry.waits[min(attempt - 1, len(retry.waits) - 1)]
    if isinstance(error, Temporary) and error.retry_after is not None:
        wait = max(wait, timedelta(seconds=error.retry_after))
    return Decision(next=Next.AGAIN, due_at=now + wait * (1 + retry.jitter * (2 * chance() - 1)))


def _probe_at(error: HubError, now: datetime, retry: Retry) -> datetime | None:
    """When to try the destination again; None when the failure says nothing about it as a whole."""
    if not isinstance(error, SystemUnreachable | SystemBusy | BadSetup):
        return None
    if isinstance(error, Temporary) and error.retry_after is not None:
        return now + timedelta(seconds=error.retry_after)
    return now + retry.probe

"""What a person decides about parcels that stopped: parked ones (given up) and those in doubt (the answer was lost)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from sqlalchemy import Connection

from hub.dispatch import settle as settling
from hub.dispatch.again import outdated
from hub.dispatch.build import lines_of
from hub.dispatch.settle import Settling
from hub.ledger import cases, journal, parcels, submissions
from hub.ledger.engine import Ledger
from hub.ledger.parcels import StoredParcel
from standards.clock import Clock
from standards.parcel import Answer
from standards.states import DeliveryState

#: Parcels decided about in one transaction.
_CHUNK = 100


class Verb(StrEnum):
    """What is to happen."""

    RESEND = "resend"  # send it again, whatever may have arrived
    ARRIVED = "arrived"  # the receiver has it: count it as accepted


@dataclass(slots=True)
class Decisions:
    """Carries out what a person decided; each parcel is decided about once."""

    ledger: Ledger
    clock: Clock
    settling: Settling

    def decide(self, destination: str, verb: Verb, *, by: str, reason: str, only: UUID | None = None) -> int:
        """Decide about every stopped parcel of a destination, or about one; how many.  Raises LedgerBusy."""
        done = 0
        begun = self.clock.now()  # what stops again meanwhile is for the next decision
        while True:
            with self.ledger.read() as connection:
                found = parcels.undecided(connection, destination, _CHUNK, before=begun, only=only)
            if not found:
                return done
            done += self.ledger.write(lambda c, found=found: self._chunk(c, found, verb, by, reason))  # type: ignore[misc]

    def _chunk(self, connection: Connection, found: Sequence[StoredParcel], verb: Verb, by: str, reason: str) -> int:
        now = self.clock.now()
        mine = [one for one in found if parcels.reopen(connection, one.id, now)]
        for one in mine:
            submissions.reopen(connection, one.submission_id, 1)
            cases.close(connection, parcel_id=one.id, by=by, now=now)
        entries = [
            journal.Entry(f"parcel_{verb}", by, one.submission_id, one.id, {"reason": reason, "was": one.state})
            for one in mine
        ]
        journal.append(connection, entries, now)
        if verb is Verb.RESEND:
            for one in mine:
                self._leave_out_the_old(connection, one)
            settling.publish(connection, [one for one in mine if one.waits_for is None], now)
        else:
            for one in mine:
                self._arrived(connection, one)
        return len(mine)

    @staticmethod
    def _leave_out_the_old(connection: Connection, one: StoredParcel) -> None:
        """A record that has a newer revision by now is not sent in its old one."""
        lines = lines_of(connection, one)
        old = outdated(connection, lines)
        places = [(one.submission_id, line.row_no) for line in old]
        parcels.mark_deliveries(connection, places, one.destination, DeliveryState.SUPERSEDED)

    def _arrived(self, connection: Connection, one: StoredParcel) -> None:
        submission = submissions.get(connection, one.submission_id)
        if submission is None:
            return
        now = self.clock.now()
        lines = lines_of(connection, one)
        settling.settle(connection, self.settling, one, submission, lines, Answer(speaker="operator"), now)

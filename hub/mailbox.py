"""What lies ready for a receiver that fetches: shown until it is confirmed, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from hub.dispatch import settle as settling
from hub.dispatch.build import build, lines_of
from hub.dispatch.contents import Contents
from hub.dispatch.enclosed import enclose
from hub.dispatch.fill import fill, looked_up
from hub.dispatch.settle import Settling
from hub.dispatch.withhold import going
from hub.generations import Generations
from hub.ledger import parcels, submissions
from hub.ledger.engine import Ledger
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.sharing.zone import zone_for
from hub.vault import Seal
from standards import tracing
from standards.clock import Clock, local_text
from standards.errors import UnknownName
from standards.parcel import Answer, AnswerLine, Parcel
from standards.states import ENDED, ParcelState

ADAPTER = "mailbox"


@dataclass(frozen=True, slots=True)
class Letter:
    """A parcel that waits for its receiver."""

    stored: StoredParcel
    parcel: Parcel
    submission: Submission

    @property
    def facts(self) -> dict[str, Any]:
        """What is said of it besides its content."""
        return {
            "parcel": str(self.stored.id),
            "destination": self.stored.destination,
            "dataset": self.stored.dataset,
            "version": self.stored.dataset_version,
            "batch": self.stored.batch,
            "count": len(self.parcel),
            "since": local_text(self.stored.sent_at),
            "due_at": local_text(self.stored.due_at),
        }


@dataclass(slots=True)
class Mailboxes:
    """The mailboxes of every party."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    settling: Settling

    def _boxes(self, party: str) -> list[str]:
        """The destinations a party fetches from."""
        settings = self.generations.current().settings.destinations
        return [name for name, d in settings.items() if d.adapter == ADAPTER and d.party == party]

    def waiting(self, party: str, limit: int, dataset: str = "") -> list[Letter]:
        """What lies ready for a party, the oldest first."""
        found = []
        with self.ledger.read() as connection:
            for name in self._boxes(party):
                for stored in parcels.awaiting(connection, name, limit):
                    if dataset and stored.dataset != dataset:
                        continue
                    letter = self._letter(connection, stored)
                    if letter is not None:
                        found.append(letter)
        found.sort(key=lambda letter: (letter.stored.created_at, letter.stored.id))
        return [self._enclosed(letter) for letter in found[:limit]]

    def _enclosed(self, letter: Letter) -> Letter:
        generation, stored = self.generations.current(), letter.stored
        dataset = generation.standard.dataset(stored.dataset, stored.dataset_version)
        now = self.clock.now()
        parcel = enclose(self.ledger, generation, letter.submission, dataset, letter.parcel, now)
        return replace(letter, parcel=parcel)

    def _letter(self, connection: Connection, stored: StoredParcel) -> Letter | None:
        generation = self.generations.current()
        submission = submissions.get(connection, stored.submission_id)
        dataset = generation.standard.dataset(stored.dataset, stored.dataset_version)
        zone = zone_for(connection, generation, stored.destination, dataset, self.clock.now())
        contents = Contents(self.seal)
        kept = contents.of(connection, stored.submission_id, stored.chunk).lines
        lines = going(zone, lines_of(connection, stored), kept.__getitem__)
        if submission is None or not lines:
            return None
        sender = generation.settings.parties.get(submission.party)
        parcel = build(
            connection,
            stored,
            lines,
            submission,
            origin=generation.settings.hub.name,
            provider=sender.code if sender is not None else generation.settings.hub.code,
            contents=contents,
            filled=fill(dataset, submission, self.settling.due),
            fills=looked_up(connection, generation, stored, self.seal),
            zone=zone,
        )
        return Letter(stored, parcel, submission)

    def confirm(self, party: str, parcel_id: UUID, said: Sequence[AnswerLine], receipt_no: str = "") -> str:
        """The receiver's verdict; the parcel's state after it.  A second confirmation changes nothing.

        Raises UnknownName when no such parcel lies in the party's mailboxes, LedgerBusy.
        """
        boxes = self._boxes(party)
        now = self.clock.now()

        def work(connection: Connection) -> str:
            stored = parcels.get(connection, parcel_id)
            if stored is None or stored.destination not in boxes:
                raise UnknownName(f"no parcel {parcel_id} in your mailbox", what_zh=f"您的信箱中没有交换包 {parcel_id}")
            if ParcelState(stored.state) in ENDED:
                return stored.state
            submission = submissions.get(connection, stored.submission_id)
            assert submission is not None
            generation = self.generations.current()
            dataset = generation.standard.dataset(stored.dataset, stored.dataset_version)
            # What was not shown is not confirmed.
            zone = zone_for(connection, generation, stored.destination, dataset, now)
            kept = Contents(self.seal).of(connection, stored.submission_id, stored.chunk).lines
            lines = going(zone, lines_of(connection, stored), kept.__getitem__)
            level = str(self.generations.current().settings.parties[party].level or "")
            answer = Answer(lines=tuple(said), speaker=party, level=level, receipt_no=receipt_no)
            with tracing.span("receipt", stored.traceparent, records=len(lines), refused=len(list(answer.refused()))):
                return settling.settle(connection, self.settling, stored, submission, lines, answer, now)

        return str(self.ledger.write(work))

"""The thread that takes messages to contacts: in order, with patience, and never twice when it can be helped.

A message is done when the contact's server has it; a process that dies between that and writing it down sends it once
more, with the same id.  A contact whose server does not answer gets one attempt at a time; the others do not wait.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from hub.alarms import ways
from hub.alarms.letter import Letter, letter
from hub.generations import Generation, Generations
from hub.ledger import alarms, leases
from hub.ledger.alarms import Message, StoredAlarm
from hub.ledger.engine import Ledger
from standards.clock import Clock
from standards.errors import HubError, LedgerBusy, SystemUnreachable

log = structlog.get_logger()

_LEASE = timedelta(seconds=90)
_WAITS = (5, 15, 60, 120, 300, 600)
_PAUSE = 1.0

Send = Callable[[Generation, str, Letter], None]


def by_settings(secret: Callable[[str], str]) -> Send:
    """Sends as the contact's settings say."""

    def send(generation: Generation, contact: str, what: Letter) -> None:
        said = generation.settings.alarms
        ways.send(said, said.contacts[contact], secret, what)

    return send


@dataclass(slots=True)
class Postman:
    """One of them works at a time, in whichever process has the lease."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    owner: str
    send: Send
    #: Something else to do now and then that may have to wait for other machines.
    also: Callable[[], object] = lambda: None
    _stop: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread | None = field(default=None, init=False)

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="postman", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what has not left waits in the ledger."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(30)

    def _run(self) -> None:
        while not self._stop.wait(_PAUSE):
            try:
                self.also()
                self.tick()
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="postman_waits", why=error.what)
            except Exception:
                log.exception("the postman stumbled", action="postman_error")

    def tick(self) -> int:
        """Send what is due; how many messages left."""
        with self.ledger.read() as connection:
            if not alarms.unsent(connection, limit=1):
                return 0
        if not self._mine():
            return 0
        with self.ledger.read() as connection:
            waiting = alarms.unsent(connection)
            abouts = {i: alarms.one(connection, i) for i in {m.alarm_id for m in waiting}}
        by_contact: dict[str, list[Message]] = {}
        for one in waiting:
            by_contact.setdefault(one.contact, []).append(one)
        generation = self.generations.current()
        return sum(self._contact(generation, name, held, abouts) for name, held in by_contact.items())

    def _mine(self) -> bool:
        now = self.clock.now()
        return self.ledger.write(lambda c: leases.take(c, "postman", self.owner, now, _LEASE))

    def _contact(
        self, generation: Generation, name: str, held: list[Message], abouts: Mapping[UUID, StoredAlarm | None]
    ) -> int:
        left = 0
        for message in held:
            now = self.clock.now()
            if message.due_at > now:
                if message.tries:
                    break  # its server did not answer: what comes after must not overtake
                continue  # quiet hours
            about = abouts[message.alarm_id]
            if about is None or name not in generation.settings.alarms.contacts:
                self._give_up(message, "the contact is not in the settings", now)
                continue
            if self._stop.is_set() or not self._mine() or not self._deliver(generation, message, about):
                break
            left += 1
        return left

    def _deliver(self, generation: Generation, message: Message, about: StoredAlarm) -> bool:
        now = self.clock.now()
        hub = generation.settings.hub
        what = letter(message, about, hub.name, hub.title, hub.public_url)
        due_at = now + timedelta(seconds=_WAITS[min(message.tries, len(_WAITS) - 1)])
        # Counted before it is tried: whoever looks meanwhile knows that it may have left.
        self.ledger.write(lambda c: alarms.change(c, message.id, tries=message.tries + 1, due_at=due_at))
        try:
            self.send(generation, message.contact, what)
        except HubError as error:
            self._failed(generation, message, error, due_at)
            return False
        except Exception as error:
            log.exception("a way out stumbled", action="alarm_error", contact=message.contact)
            self._failed(generation, message, SystemUnreachable(type(error).__name__), due_at)
            return False
        at = self.clock.now()
        self.ledger.write(lambda c: alarms.change(c, message.id, sent_at=at, error=""))
        log.info("told a contact", action="alarm_told", contact=message.contact, rule=about.rule, says=message.says)
        return True

    def _failed(self, generation: Generation, message: Message, error: HubError, due_at: datetime) -> None:
        now = self.clock.now()
        if message.tries >= len(_WAITS) and now - message.created_at >= generation.settings.alarms.give_up:
            self._give_up(message, error.what, now)
            return
        log.warning("a contact could not be told", action="alarm_untold", contact=message.contact, why=error.what)
        self.ledger.write(lambda c: alarms.change(c, message.id, due_at=due_at, error=error.what[:500]))

    def _give_up(self, message: Message, why: str, now: datetime) -> None:
        log.error("a contact was never told", action="alarm_lost", contact=message.contact, why=why)
        self.ledger.write(lambda c: alarms.change(c, message.id, given_up_at=now, error=why[:500]))

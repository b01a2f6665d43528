"""What follows from what the rules found: new alarms, those that are over, and who is told of what.  Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from hub.alarms.quiet import leaves_at
from hub.alarms.rules import Raised
from hub.alarms.settings import Alarms, Contact
from hub.ledger.alarms import RAISED, RECOVERED, Message, StoredAlarm

#: An alarm that ends because a worse one of the same subject began has not recovered: nobody is told that it had.
_TURNS_INTO = {"case_due": "case_overdue"}


@dataclass(frozen=True, slots=True)
class Telling:
    """A message to be written."""

    alarm_id: UUID
    contact: str
    says: str
    due_at: datetime


@dataclass(slots=True)
class Plan:
    """What is to be written."""

    new: list[Raised] = field(default_factory=list)
    there: list[UUID] = field(default_factory=list)
    over: list[StoredAlarm] = field(default_factory=list)
    tell: list[Telling] = field(default_factory=list)
    #: Messages nobody needs any more: what they tell of was over before they could leave.
    forget: list[Message] = field(default_factory=list)


def plan(
    held: Sequence[StoredAlarm],
    messages: Sequence[Message],
    raised: Mapping[tuple[str, str], Raised],
    unknown: frozenset[str],
    settings: Alarms,
    now: datetime,
) -> Plan:
    """`held`: the open alarms; `messages`: about them; `raised`: what is wrong now; `unknown`: rules not looked at."""
    result = Plan()
    known = {(one.rule, one.subject) for one in held}
    result.new = [one for key, one in raised.items() if key not in known]
    said: dict[UUID, list[Message]] = {}
    for message in messages:
        said.setdefault(message.alarm_id, []).append(message)
    for one in held:
        if (one.rule, one.subject) in raised:
            result.there.append(one.id)
        elif one.rule in unknown:
            continue
        elif now - one.seen_at >= settings.settle or one.rule in settings.off:
            result.over.append(one)
            _end(result, one, said.get(one.id, []), raised, settings, now)
            continue
        told = {m.contact for m in said.get(one.id, []) if m.says == RAISED}
        result.forget += [m for m in said.get(one.id, []) if _too_late(m, one, settings)]
        result.tell += [t for t in tellings(one, settings, now) if t.contact not in told]
    return result


def tellings(one: StoredAlarm, settings: Alarms, now: datetime) -> list[Telling]:
    """Who must have been told by now that an alarm was raised; later contacts only while nobody acknowledged it."""
    due = leaves_at(now, settings.quiet, grave=one.grave)
    return [
        Telling(one.id, name, RAISED, due)
        for name, contact in settings.contacts.items()
        if hears(contact, one.rule)
        and now >= one.opened_at + contact.after
        and (not contact.after or one.acknowledged_at is None)
    ]


def hears(contact: Contact, rule: str) -> bool:
    """Whether a contact is told of alarms of a rule."""
    return not contact.rules or rule in contact.rules


def _too_late(message: Message, one: StoredAlarm, settings: Alarms) -> bool:
    """A later contact need not hear of what was acknowledged before it could be told."""
    contact = settings.contacts.get(message.contact)
    later = contact is not None and bool(contact.after)
    return later and one.acknowledged_at is not None and message.waits and message.tries == 0


def _end(
    result: Plan,
    one: StoredAlarm,
    said: Sequence[Message],
    raised: Mapping[tuple[str, str], Raised],
    settings: Alarms,
    now: datetime,
) -> None:
    worse = _TURNS_INTO.get(one.rule, "")
    due = leaves_at(now, settings.quiet, grave=one.grave)
    for message in said:
        if message.says != RAISED or message.given_up_at is not None:
            continue
        if message.waits and message.tries == 0:
            result.forget.append(message)
        elif (worse, one.subject) not in raised:
            result.tell.append(Telling(one.id, message.contact, RECOVERED, due))

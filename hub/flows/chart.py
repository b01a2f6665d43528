"""The lines of the exchange, drawn from the configuration: who sends to the hub, where the hub delivers to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.casework import SILENT
from hub.flows.rates import Rates, against, share_of_day
from hub.flows.standing import Standing, of_destination, of_party
from hub.ledger.cases import Cause
from hub.settings import LEVELS, Settings
from standards.clock import SHANGHAI
from standards.states import OF_THE_OPERATOR, CaseClass


@dataclass(frozen=True, slots=True)
class Line:
    """One line between the hub and somebody."""

    name: str
    title: str
    #: above, beside or below this hub.
    where: str
    #: in or out.
    way: str
    link: str
    today: int
    usual: int | None
    against: str
    sign: str
    says_zh: str
    says_en: str
    waiting: int = 0


def lines(
    settings: Settings,
    rates: Rates,
    status: Mapping[str, Any],
    causes: Sequence[Cause],
    stalled: Mapping[str, int],
    now: datetime,
    paused: Collection[str] = (),
) -> list[Line]:
    """Every party that hands over and every destination.  Pure.

    `status` as Facts.status(), `causes` as CaseDesk.causes(); `stalled`: hand-overs that wrong settings stop, by party;
    `paused`: connections that an operator has paused.
    """
    return [
        *_senders(settings, rates, causes, stalled, now, paused),
        *_destinations(settings, rates, status, causes, now),
    ]


def _where(settings: Settings, party: str) -> str:
    level = settings.parties[party].level
    if level is None or level == settings.hub.level:
        return "beside"
    return "above" if LEVELS.index(level) > LEVELS.index(settings.hub.level) else "below"


def _senders(
    settings: Settings,
    rates: Rates,
    causes: Sequence[Cause],
    stalled: Mapping[str, int],
    now: datetime,
    paused: Collection[str],
) -> list[Line]:
    silent: Counter[str] = Counter()
    missing: Counter[str] = Counter()
    for one in causes:
        if one.class_ == CaseClass.UNREPORTED:
            (silent if one.code == SILENT else missing)[one.party] += one.cases
    found = []
    share = share_of_day(now)
    for party in dict.fromkeys(one.party for one in settings.connections.values()):
        mine = {name: one for name, one in settings.connections.items() if one.party == party}
        read, usual = rates.today[party, "read"], rates.usual(party, "read")
        compared = against(read, usual, share)
        standing = of_party(
            silent=silent[party],
            missing=missing[party],
            stalled=stalled.get(party, 0),
            read=read,
            rejected=rates.today[party, "rejected"],
            less=compared == "less",
            paused=all(one.paused or name in paused for name, one in mine.items()),
            live=any(not one.is_test for one in mine.values()),
        )
        title = settings.parties[party].title
        found.append(_line(party, title, _where(settings, party), "in", read, usual, compared, standing))
    return found


def _destinations(
    settings: Settings, rates: Rates, status: Mapping[str, Any], causes: Sequence[Cause], now: datetime
) -> list[Line]:
    stopped: Counter[str] = Counter()
    for one in causes:
        if one.destination and one.class_ in OF_THE_OPERATOR:
            stopped[one.destination] += one.cases
    found = []
    for name, said in settings.destinations.items():
        known = status["destinations"].get(name, {})
        waiting = known.get("backlog", {})
        today, usual = rates.today[f">{name}", "delivered"], rates.usual(f">{name}", "delivered")
        standing = of_destination(
            state=str(known.get("state", "up")),
            paused=said.paused,
            waited=waited(waiting, now),
            stopped=stopped[name],
            today=today,
        )
        line = _line(
            name,
            said.title or settings.parties[said.party].title,
            _where(settings, said.party),
            "out",
            today,
            usual,
            against(today, usual, share_of_day(now)),
            standing,
            sum(state["records"] for state in waiting.values()),
        )
        found.append(line)
    return found


def _line(
    name: str,
    title: str,
    where: str,
    way: str,
    today: int,
    usual: int | None,
    compared: str,
    standing: Standing,
    waiting: int = 0,
) -> Line:
    return Line(
        name=name,
        title=title,
        where=where,
        way=way,
        link=f"flows/{'to' if way == 'out' else 'party'}/{name}",
        today=today,
        usual=usual,
        against=compared,
        sign=standing.sign,
        says_zh=standing.zh,
        says_en=standing.en,
        waiting=waiting,
    )


def waited(backlog: Mapping[str, Mapping[str, Any]], now: datetime) -> timedelta:
    """How long the oldest has waited to be sent; what waits for a receipt is the receiver's time."""
    oldest = [one["oldest_at"] for state, one in backlog.items() if state != "awaiting" and one["oldest_at"]]
    if not oldest:
        return timedelta(0)
    first = datetime.strptime(min(oldest), "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI)
    return max(now - first, timedelta(0))

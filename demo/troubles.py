"""Four troubles for the demo city, as an operator finds them in the morning: to be seen on the first page, and mended.

A feed that is silent, a destination that is dead, a wave of a code that nobody knows, a case that is overdue.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import httpx2
from sqlalchemy import Connection, select, update

from demo import city, drug, ecology, emergency, handing, market
from demo.firms import Firm, firms
from demo.play import Demo
from demo.trouble import Trouble
from hub.bootstrap import Hub
from hub.facts import Facts
from hub.ledger import destinations
from hub.ledger.tables import case_, submission
from standards.errors import SystemBusy, SystemUnreachable
from standards.ports import HandOver
from standards.registry import built_in

#: What the trouble is about.
SILENT, DEAD, WAVE, OVERDUE = "market-checks", "province-services", "ecology-penalties", "emergency-checks"
#: A code that ecology's system has learnt and nobody has told the hub.
UNKNOWN_CODE = "网格上报"
#: What is on its way to the dead destination.
DEAD_FEED = "drug-licences"
WAVE_SIZE = 150
_LICENCES = 8
#: The silent feed came every three hours, and came last so long ago; longer than any holiday.
_HABIT, _SILENCE, _TIMES = timedelta(hours=3), timedelta(days=12), 12
_LATE = timedelta(days=25)
_FIRST_PENALTY, _FIRST_LICENCE = 50_001, 5_001
_SECONDS = 60.0


def plant(demo: Demo) -> list[Trouble]:
    """Make all four.  Raises SystemBusy, SystemUnreachable."""
    hub, pool = demo.running.hub, firms(city.SUBJECTS)
    _break(demo, closed=True)
    _hand_over(hub, DEAD_FEED, "许可补报.json", [_licence(demo, pool, n) for n in range(_LICENCES)])
    _hand_over(hub, WAVE, "行政处罚-网格.csv", [_wave(demo, pool)])
    template = handing.template(demo.operator)
    sheet = emergency.workbook(template, built_in(), pool, demo.today, city.FILLED_IN)
    _hand_over(hub, OVERDUE, sheet.name, [sheet.data])
    checks = market.message(pool, demo.today, 3).data
    _hand_over(hub, SILENT, "监督检查.xml", [checks] * _TIMES)
    _until(lambda: _all_judged(hub), "the hub does not judge what was handed over", "枢纽没有完成校验")
    hub.ledger.write(lambda c: _long_ago(c, hub))
    hub.cases().listen()
    _until(lambda: _is_down(hub), "the destination does not count as dead", "目标没有被判为不可用")
    return _told(demo.province.url)


def heal(demo: Demo) -> None:
    """The dead destination answers again, and an operator has it tried at once."""
    _break(demo, closed=False)
    hub = demo.running.hub
    hub.ledger.write(lambda c: destinations.probe_now(c, DEAD, hub.clock.now()))


def _told(centre: str) -> list[Trouble]:
    heal = f"curl -d '{{\"closed\": false}}' {centre}/sim/faults"
    return [
        Trouble(
            f"接入 {SILENT} 已 {_SILENCE.days} 天没有报送",
            f"the feed {SILENT} is silent for {_SILENCE.days} days",
            "联系市场监管局；有新报送后自动关闭",
            "ask market supervision; it closes when something comes",
        ),
        Trouble(
            f"投递目标 {DEAD} 不可用，{_LICENCES} 条许可在等待",
            f"the destination {DEAD} is dead, {_LICENCES} licences wait",
            f"恢复后自动续传；让它恢复：{heal}",
            "it goes on by itself when it answers; the command lets it",
        ),
        Trouble(
            f"{WAVE_SIZE} 件处罚的“案件来源”是没有对照的“{UNKNOWN_CODE}”",
            f"{WAVE_SIZE} penalties with the unknown code {UNKNOWN_CODE}",
            "答复一次代码，预演，重放",
            "answer the code once, rehearse, replay",
        ),
        Trouble(
            "应急管理局退回的检查记录已超期",
            "checks that came back to the emergency bureau are overdue",
            "督促改正重报，或豁免",
            "urge it, or waive them",
        ),
    ]


def _break(demo: Demo, *, closed: bool) -> None:
    try:
        httpx2.post(f"{demo.province.url}/sim/faults", json={"closed": closed}, timeout=30).raise_for_status()
    except httpx2.HTTPError as error:
        raise SystemUnreachable("the simulated centre does not answer", what_zh="模拟的省中心无应答") from error


def _licence(demo: Demo, pool: list[Firm], number: int) -> bytes:
    return drug.single(pool, demo.today, _FIRST_LICENCE + number)


def _wave(demo: Demo, pool: list[Firm]) -> bytes:
    at = ecology.HEADER.index("案件来源")
    rows = ecology.rows(WAVE_SIZE, first=_FIRST_PENALTY, today=demo.today, firms=pool, checks={})
    unknown = (replace(row, values=(*row.values[:at], UNKNOWN_CODE, *row.values[at + 1 :])) for row in rows)
    return b"".join(ecology.pieces(unknown))


def _hand_over(hub: Hub, connection: str, name: str, bodies: list[bytes]) -> None:
    for body in bodies:
        hub.intake.receive(HandOver(connection=connection, name=name, actor="demo"), [body])


def _all_judged(hub: Hub) -> bool:
    unfinished = Facts(hub.ledger, hub.clock).status()["submissions"]
    return not unfinished


def _is_down(hub: Hub) -> bool:
    standing = Facts(hub.ledger, hub.clock).status()["destinations"].get(DEAD)
    return standing is not None and str(standing["state"]) == "down"


def _until(true: Callable[[], bool], what: str, what_zh: str) -> None:
    end = time.monotonic() + _SECONDS
    while not true():
        if time.monotonic() > end:
            raise SystemBusy(what, what_zh=what_zh, hint="look into hub.log of the demo's folder")
        time.sleep(0.1)


def _long_ago(connection: Connection, hub: Hub) -> None:
    """Time passes for two of them: nobody can wait for that in a demo."""
    now = hub.clock.now()
    s = submission.c
    came = connection.execute(select(s.month, s.id).where(s.connection == SILENT).order_by(s.received_at.desc())).all()
    for turn, (month, identifier) in enumerate(came):
        at = now - _SILENCE - turn * _HABIT
        connection.execute(
            update(submission).where(s.month == month, s.id == identifier).values(received_at=at, judged_at=at)
        )
    opened = now - _LATE
    party = hub.generations.current().connection(OVERDUE).party
    late = {"opened_at": opened, "last_at": opened, "due_at": hub.deadlines(opened).at}
    connection.execute(update(case_).where(case_.c.party == party, case_.c.closed_at.is_(None)).values(**late))

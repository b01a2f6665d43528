"""What needs a person now, in words: since when, who must act, until when, where it is mended; the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from hub.casework import SILENT, UNANSWERED, WORDS, who_acts
from hub.ledger.cases import Cause
from standards.clock import local, local_text
from standards.findings import in_short
from standards.flows import flow
from standards.states import OF_THE_OPERATOR


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that somebody must do."""

    zh: str
    en: str
    since: str
    who_zh: str
    who_en: str
    due: str
    link: str
    #: bad: it stops something or is overdue; warn: it has time.
    weight: str
    #: How much of it there is: of what is equally urgent, the most comes first.
    size: int = 1


def needs(
    *,
    status: Mapping[str, Any],
    causes: Sequence[Cause],
    tasks: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    datasets: Mapping[str, str],
    last_year: int,
    now: datetime,
    canaries: Sequence[Mapping[str, Any]] = (),
    most: int | None = None,
) -> tuple[list[Need], int]:
    """What stops something first, then by term; `most` of them, and how many there are.  Pure.

    `status` as Facts.status(), `causes` as CaseDesk.causes(), `tasks` as Tasks.counts(); `titles`: of parties;
    `datasets`: titles of data sets; `canaries` as Canaries.listed().
    """
    others = [
        *_destinations(status),
        *_stalled(status),
        *_tasks(tasks, titles),
        *_calendar(last_year, now),
        *_canaries(canaries),
    ]
    # Causes may be many: only those that are told are put into words.
    first = sorted(causes, key=_urgency)[:most]
    found = sorted([*others, *_cases(first, titles, datasets)], key=_order)
    return found[:most], len(others) + len(causes)


def _order(one: Need) -> tuple[bool, str, int, str]:
    return one.weight != "bad", one.due[:10] or "0", -one.size, one.since


def _urgency(one: Cause) -> tuple[bool, str, int, datetime]:
    """The same order, of what is not in words yet."""
    return not _is_bad(one), _due(one)[:10] or "0", -one.cases, one.opened_at


def _is_bad(one: Cause) -> bool:
    return one.overdue > 0 or one.class_ in OF_THE_OPERATOR or one.code == SILENT


def _due(one: Cause) -> str:
    return local_text(one.due_at) or one.due_missing


def _destinations(status: Mapping[str, Any]) -> Iterator[Need]:
    for name, one in status["destinations"].items():
        if str(one["state"]) == "up":
            continue
        waiting = sum(state["records"] for state in one["backlog"].values())
        paused = str(one["state"]) == "paused"
        yield Need(
            f"投递目标 {name} {'已暂停' if paused else '不可用'}，{waiting} 条在等待：{one['reason']}",
            f"destination {name} is {one['state']}, {waiting} records wait: {one['reason']}",
            one["since"],
            "运维：联系接收方；恢复后自动续传",
            "operator: ask the receiver; it goes on by itself",
            "",
            f"flows/to/{quote(str(name))}",
            "warn" if paused else "bad",
        )


def _stalled(status: Mapping[str, Any]) -> Iterator[Need]:
    one = status["submissions"].get("stalled")
    if one:
        yield Need(
            f"{one['count']} 次报送因配置有误停住",
            f"{one['count']} hand-over(s) stopped by wrong settings",
            one["oldest_at"],
            "运维：hub check 会说明",
            "operator: hub check says why",
            "",
            "search?state=stalled",
            "bad",
        )


def _cases(causes: Sequence[Cause], titles: Mapping[str, str], datasets: Mapping[str, str]) -> Iterator[Need]:
    for one in causes:
        who = titles.get(one.party, one.party) or "运维"
        about = datasets.get(one.dataset, one.dataset)
        code = f"{one.code} {in_short(one.code)}".strip()
        code_en = f"{one.code} {in_short(one.code, 'en')}".strip()
        what = "、".join(word for word in (about, code, one.destination) if word)
        what_en = ", ".join(word for word in (one.dataset, code_en, one.destination) if word)
        late, late_en = _late(one)
        acts, acts_en = _acts(one, who)
        link = {"party": one.party, "class": one.class_, "dataset": one.dataset, "code": one.code}
        link["destination"] = one.destination
        yield Need(
            f"{who} {WORDS[one.class_]}：{what}，{one.cases} 件{late}",
            f"{one.party or 'operator'} {_CLASSES.get(one.class_, '')}: {what_en}, {one.cases} case(s){late_en}",
            local_text(one.opened_at),
            acts,
            acts_en,
            _due(one),
            f"cases/group?{urlencode({name: word for name, word in link.items() if word})}",
            "bad" if _is_bad(one) else "warn",
            one.cases,
        )


def _acts(one: Cause, title: str) -> tuple[str, str]:
    if who_acts(one.party, one.class_, one.code):
        return title, one.party
    if one.code == UNANSWERED:
        return "运维：答复代码", "operator: answer the code"
    return "运维", "operator"


def _late(one: Cause) -> tuple[str, str]:
    if not one.overdue:
        return "", ""
    if one.overdue == one.cases:
        return "，已超期", ", overdue"
    return f"，其中 {one.overdue} 件已超期", f", {one.overdue} of them overdue"


def _tasks(tasks: Sequence[Mapping[str, Any]], titles: Mapping[str, str]) -> Iterator[Need]:
    for one in tasks:
        name = flow(one["flow"])
        state = name.states[one["state"]]
        if not one["assignee"]:
            yield Need(
                f"{name.title}：{one['open']} 件无人负责，{state.title}",
                f"{name.title_en}: {one['open']} belong to nobody",
                "",
                "运维：派发",
                "operator: hand on",
                "",
                f"tasks?{urlencode({'flow': one['flow'], 'state': one['state']})}",
                "bad",
            )
        elif one["overdue"]:
            who = titles.get(one["assignee"], one["assignee"])
            yield Need(
                f"{who} {name.title}：{one['overdue']} 件超期，{state.title}",
                f"{one['assignee']} {name.title_en}: {one['overdue']} overdue, {state.title_en}",
                "",
                who,
                one["assignee"],
                "",
                f"tasks?{urlencode({'flow': one['flow'], 'state': one['state']})}",
                "bad",
            )


def _calendar(last_year: int, now: datetime) -> Iterator[Need]:
    today = local(now).date()
    if last_year < today.year or (last_year == today.year and today.month >= 11):
        yield Need(
            f"{last_year + 1} 年工作日历尚未装入，跨年期限无法计算",
            f"the working days of {last_year + 1} are not known: terms across the year have no end",
            "",
            "运维：放入站点目录 calendars/",
            "operator: put the year file into calendars/",
            f"{last_year}-12-31",
            "standards/calendar",
            "warn",
        )


def _canaries(ways: Sequence[Mapping[str, Any]]) -> Iterator[Need]:
    for one in ways:
        if one["late"]:
            yield Need(
                f"通路 {one['way']} 的探测记录没有返回：{one['problem'] or '等待中'}",
                f"no test record comes back on the way to {one['way']}: {one['problem'] or 'waiting'}",
                one["last_at"],
                "运维：联系接收方，或查看告警页",
                "operator: ask the receiver, or see the page of alarms",
                "",
                "alarms",
                "bad",
            )


_CLASSES = {"1": "not reported", "2": "wrong", "3": "inconsistent", "8": "in doubt", "9": "set-up"}

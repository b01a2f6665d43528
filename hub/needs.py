"""What needs a person now, in words: since when, who must act, until when, where it is mended; the worst first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from standards.clock import local
from standards.findings import in_short
from standards.flows import flow

_OPERATOR = ("运维", "operator")
#: A feed that is silent stops something, as a destination does that is down.
_SILENT = "40003"
#: What names a group of cases in a link; nothing of it is about a person.
_GROUP = ("party", "class", "dataset", "code", "destination")


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
    cases: Sequence[Mapping[str, Any]],
    tasks: Sequence[Mapping[str, Any]],
    titles: Mapping[str, str],
    datasets: Mapping[str, str],
    last_year: int,
    now: datetime,
    canaries: Sequence[Mapping[str, Any]] = (),
) -> list[Need]:
    """Everything, what stops something first, then by term.  Pure.

    `status` as Facts.status(), `cases` as CaseDesk.groups(), `tasks` as Tasks.counts(); `titles`: of parties;
    `datasets`: titles of data sets; `canaries` as Canaries.listed().
    """
    found = [
        *_destinations(status),
        *_stalled(status),
        *_cases(cases, titles, datasets),
        *_tasks(tasks, titles),
        *_calendar(last_year, now),
        *_canaries(canaries),
    ]
    return sorted(found, key=lambda one: (one.weight != "bad", one.due[:10] or "0", -one.size, one.since))


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


def _cases(
    cases: Sequence[Mapping[str, Any]], titles: Mapping[str, str], datasets: Mapping[str, str]
) -> Iterator[Need]:
    for one in cases:
        operator = one["class"] in ("8", "9")
        who = titles.get(one["party"], one["party"]) or "运维"
        about = datasets.get(one["dataset"], one["dataset"])
        code = f"{one['code']} {in_short(one['code'])}".strip()
        code_en = f"{one['code']} {in_short(one['code'], 'en')}".strip()
        what = "、".join(word for word in (about, code, one["destination"]) if word)
        what_en = ", ".join(word for word in (one["dataset"], code_en, one["destination"]) if word)
        term = "，已超期" if one["overdue"] else ""
        yield Need(
            f"{who} {one['class_zh']}：{what}，{one['cases']} 件{term}",
            f"{one['party'] or 'operator'} {_CLASSES.get(one['class'], '')}: {what_en}, {one['cases']} case(s)"
            + (", overdue" if one["overdue"] else ""),
            one["opened_at"],
            _OPERATOR[0] if operator else who,
            _OPERATOR[1] if operator else one["party"],
            one["due_at"] or one["due_missing"],
            f"cases/group?{urlencode({name: one[name] for name in _GROUP if one[name]})}",
            "bad" if one["overdue"] or operator or one["code"] == _SILENT else "warn",
            one["cases"],
        )


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

"""The rules: facts in, raised alarms out.  Pure.

An alarm is told once for each rule and subject; its words hold names, counts and times, no content and no persons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from hub.alarms.facts import AlarmFacts
from hub.alarms.settings import Alarms, CanarySettings
from standards.clock import local, local_text

_GB = 1024**3


@dataclass(frozen=True, slots=True)
class Raised:
    """What a rule finds wrong."""

    rule: str
    #: What it is about: a connection, a destination, a party and day …; '' for the hub itself.
    subject: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Limits:
    """What the rules compare with."""

    alarms: Alarms
    canary: CanarySettings


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is looked for."""

    name: str
    zh: str
    en: str
    #: Page of the console where it is mended.
    page: str
    look: Callable[[AlarmFacts, Limits], Iterable[Raised]]


def evaluate(facts: AlarmFacts, limits: Limits) -> dict[tuple[str, str], Raised]:
    """Everything that is wrong now, by rule and subject."""
    off = {*limits.alarms.off, *facts.unknown}
    found = [one for rule in RULES.values() if rule.name not in off for one in rule.look(facts, limits)]
    return {(one.rule, one.subject): one for one in found}


def _feed_silent(facts: AlarmFacts, _limits: Limits) -> Iterator[Raised]:
    for name, since in facts.silent.items():
        yield Raised(
            "feed_silent",
            name,
            f"接入 {name} 自 {local_text(since)} 起没有报送，超过其惯常间隔",
            f"the connection {name} has been silent since {local_text(since)}, longer than its habit",
        )


def _error_rate(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    said = limits.alarms
    for name, (read, rejected) in facts.rates.items():
        if read >= said.error_least and rejected / read >= said.error_share:
            share = f"{rejected / read:.0%}"
            yield Raised(
                "error_rate",
                name,
                f"接入 {name} 近期报送 {read} 条，退回 {rejected} 条（{share}）",
                f"the connection {name}: {rejected} of {read} recent records rejected ({share})",
            )


def _destination_down(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    for name, since in facts.down.items():
        if facts.now - since >= limits.alarms.destination_down:
            yield Raised(
                "destination_down",
                name,
                f"投递目标 {name} 自 {local_text(since)} 起不可用",
                f"the destination {name} has been down since {local_text(since)}",
            )


def _backlog(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    """What waits for a destination that is down is told by that already."""
    told = {one.subject for one in _destination_down(facts, limits)}
    for name, one in facts.waiting.items():
        if name not in told and facts.now - one.oldest_at >= limits.alarms.backlog:
            yield Raised(
                "backlog",
                name,
                f"投递目标 {name} 积压 {one.count} 条，最早的自 {local_text(one.oldest_at)} 起等待",
                f"{one.count} records wait for {name}, the oldest since {local_text(one.oldest_at)}",
            )
    one_more = facts.unjudged
    if one_more is not None and facts.now - one_more.oldest_at >= limits.alarms.backlog:
        yield Raised(
            "backlog",
            "",
            f"{one_more.count} 次报送尚未校验完，最早的自 {local_text(one_more.oldest_at)} 起等待",
            f"{one_more.count} hand-over(s) are not judged, the oldest since {local_text(one_more.oldest_at)}",
        )


def _case_due(facts: AlarmFacts, _limits: Limits) -> Iterator[Raised]:
    for one in facts.due:
        if not one.overdue and one.left in (0, 1):
            yield Raised(
                "case_due",
                f"{one.party}/{one.day}",
                f"{one.party or '运维'} 有 {one.count} 件异常将于 {one.day} 到期",
                f"{one.count} case(s) of {one.party or 'the operator'} are due on {one.day}",
            )


def _case_overdue(facts: AlarmFacts, _limits: Limits) -> Iterator[Raised]:
    for one in facts.due:
        if one.overdue:
            yield Raised(
                "case_overdue",
                f"{one.party}/{one.day}",
                f"{one.party or '运维'} 有 {one.count} 件异常已于 {one.day} 超期",
                f"{one.count} case(s) of {one.party or 'the operator'} are overdue since {one.day}",
            )


def _expiring(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    words = {"key": "密钥", "certificate": "证书"}
    for one in facts.expiring:
        word = words[one.kind]
        if one.at is None:
            zh, en = f"{word} {one.name} 无法读取", f"the {one.kind} {one.name} cannot be read"
        elif one.at <= facts.now:
            zh = f"{word} {one.name} 已于 {local_text(one.at)} 到期"
            en = f"the {one.kind} {one.name} ended at {local_text(one.at)}"
        elif one.at - facts.now <= limits.alarms.expiring:
            zh = f"{word} {one.name} 将于 {local_text(one.at)} 到期"
            en = f"the {one.kind} {one.name} ends at {local_text(one.at)}"
        else:
            continue
        yield Raised("expiring", f"{one.kind}:{one.name}", zh, en)


def _canary_late(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    for way, age in facts.canaries.items():
        if age >= limits.canary.late:
            since = local_text(facts.now - age)
            yield Raised(
                "canary_late",
                way,
                f"通路 {way} 的探测记录自 {since} 起没有返回",
                f"no test record has come back on the way to {way} since {since}",
            )


def _calendar_missing(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    today, last = local(facts.now).date(), facts.calendar_last_year
    if last < today.year or (last == today.year and today.month >= limits.alarms.calendar_from_month):
        yield Raised(
            "calendar_missing",
            str(last + 1),
            f"{last + 1} 年工作日历尚未装入，跨年期限无法计算",
            f"the working days of {last + 1} are not known: terms across the year have no end",
        )


def _disk_low(facts: AlarmFacts, limits: Limits) -> Iterator[Raised]:
    if facts.free_bytes < limits.alarms.disk_free_gb * _GB:
        free = f"{facts.free_bytes / _GB:.1f} GB"
        yield Raised("disk_low", "", f"状态目录所在磁盘仅余 {free}", f"only {free} are free where the state folder is")


def _without_due(facts: AlarmFacts, _limits: Limits) -> Iterator[Raised]:
    if facts.without_due:
        yield Raised(
            "without_due",
            "",
            f"{facts.without_due} 件异常或任务没有期限：其年度的工作日历尚未装入",
            f"{facts.without_due} case(s) or task(s) have no due time: the calendar of their year is not there",
        )


RULES: Mapping[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("feed_silent", "接入静默", "feed silent", "cases", _feed_silent),
        Rule("error_rate", "退回率过高", "error rate", "cases", _error_rate),
        Rule("destination_down", "投递目标不可用", "destination down", "", _destination_down),
        Rule("backlog", "积压", "backlog", "", _backlog),
        Rule("case_due", "异常即将到期", "case due", "cases", _case_due),
        Rule("case_overdue", "异常超期", "case overdue", "cases", _case_overdue),
        Rule("expiring", "密钥或证书到期", "key or certificate ends", "alarms", _expiring),
        Rule("canary_late", "探测记录未返回", "canary late", "alarms", _canary_late),
        Rule("calendar_missing", "缺工作日历", "calendar missing", "alarms", _calendar_missing),
        Rule("disk_low", "磁盘空间不足", "disk low", "alarms", _disk_low),
        Rule("without_due", "没有期限", "held without due time", "cases", _without_due),
    )
}

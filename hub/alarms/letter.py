"""What a contact reads: one letter for every way, Chinese first.  Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from hub.alarms.rules import RULES
from hub.ledger.alarms import RECOVERED, Message, StoredAlarm
from standards.clock import local_text


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as it leaves.  A repeat has the same id, so that a receiver can know it."""

    id: str
    title: str
    text: str
    #: For machines: the webhook sends it.
    facts: dict[str, str | bool] = field(default_factory=dict)


def letter(message: Message, one: StoredAlarm, hub: str, title: str, address: str) -> Letter:
    """`hub`, `title`: its short name and name for people; `address`: where it is reached, or ''."""
    rule = RULES.get(one.rule)
    zh, en = (rule.zh, rule.en) if rule is not None else (one.rule, one.rule)
    over = message.says == RECOVERED
    word, word_en = ("恢复", "recovered") if over else ("严重告警", "grave alarm") if one.grave else ("告警", "alarm")
    about = f"：{one.subject}" if one.subject else ""
    lines = [f"{title} {word}：{zh}", one.zh, f"开始于 {local_text(one.opened_at)}"]
    lines_en = [f"{hub} {word_en}: {en}", one.en, f"since {local_text(one.opened_at)}"]
    if over:
        lines.append(f"恢复于 {local_text(one.recovered_at)}")
        lines_en.append(f"recovered at {local_text(one.recovered_at)}")
    elif address:
        lines_en.append(f"{address.rstrip('/')}/console/{rule.page if rule is not None else ''}")
    if not over:
        lines.append(f"确认：hub alarms acknowledge {one.id}")
    facts: dict[str, str | bool] = {
        "alarm": str(one.id),
        "says": message.says,
        "rule": one.rule,
        "subject": one.subject,
        "grave": one.grave,
        "zh": one.zh,
        "en": one.en,
        "opened_at": one.opened_at.isoformat(),
        "recovered_at": one.recovered_at.isoformat() if one.recovered_at is not None else "",
    }
    return Letter(str(message.id), f"[{hub}] {word} {zh}{about}", "\n".join([*lines, "", *lines_en]), facts)


def trial(identifier: str, hub: str, title: str, now: datetime) -> Letter:
    """A letter that only shows that the way is open."""
    return Letter(
        identifier,
        f"[{hub}] 测试消息 test",
        f"{title}：这是一条测试消息，{local_text(now)}\n{hub}: this is a test message",
        {"says": "test"},
    )

"""How a line of the exchange stands, in one sign and in words.  Pure: facts in, a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

#: What waits longer is late.
LATE = timedelta(minutes=15)
#: A larger share of rejected records asks for a look.
MANY = 0.2
_FEW = 10


@dataclass(frozen=True, slots=True)
class Standing:
    """A sign, which is also a colour, and why."""

    #: bad, warn, off, good, quiet.
    sign: str
    zh: str
    en: str


#: The worst first.
ORDER = ("bad", "warn", "off", "good", "quiet")
#: What stands beside the colour.
MARKS = {"bad": "✕", "warn": "!", "off": "‖", "good": "✓", "quiet": "–"}


def of_destination(*, state: str, paused: bool, waited: timedelta, stopped: int, today: int) -> Standing:
    """A destination: down, stopped parcels, paused, late, good, or nothing went there today."""
    if paused or state == "paused":
        return Standing("off", "已暂停", "paused")
    if state == "down":
        return Standing("bad", "不可用", "down")
    if stopped:
        return Standing("bad", f"{stopped} 件待人工决定", f"{stopped} wait for a person")
    if waited > LATE:
        return Standing("warn", f"积压 {_long(waited)}", f"late by {_long_en(waited)}")
    return Standing("good", "正常", "good") if today else Standing("quiet", "今日无", "nothing today")


def of_party(
    *, silent: int, missing: int, stalled: int, read: int, rejected: int, less: bool, paused: bool, live: bool
) -> Standing:
    """A sender: silent, stopped by settings, not reported, many rejected, less than usual, good, nothing today."""
    if stalled:
        return Standing("bad", "因配置有误停住", "stopped by settings")
    if silent:
        return Standing("bad", "未按习惯报送", "silent")
    if missing:
        return Standing("warn", f"未报送 {missing} 项", f"{missing} not reported")
    if read >= _FEW and rejected > MANY * read:
        return Standing("warn", f"退回 {rejected / read:.0%}", f"{rejected / read:.0%} rejected")
    if paused:
        return Standing("off", "已暂停", "paused")
    if less:
        return Standing("warn", "少于往常", "less than usual")
    if read:
        return Standing("good", "正常", "good")
    return Standing("quiet", "今日无", "nothing today") if live else Standing("off", "未上线", "not live yet")


def worst(signs: list[str]) -> str:
    """The worst of several."""
    return min(signs, key=ORDER.index, default="quiet")


def _long(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} 分钟"
    return f"{minutes // 60} 小时" if minutes < 2880 else f"{minutes // 1440} 天"


def _long_en(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 2880 else f"{minutes // 1440} days"


def age(span: timedelta | None, language: str) -> str:
    """How long, in words; '' for none."""
    if span is None:
        return ""
    seconds = int(span.total_seconds())
    if seconds < 120:
        return f"{seconds} s" if language == "en" else f"{seconds} 秒"
    return _long_en(span) if language == "en" else _long(span)

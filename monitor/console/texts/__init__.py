"""The words of the pages, Chinese and English; a module for each group of pages."""

from __future__ import annotations

from collections.abc import Mapping

from monitor.console.texts import alarms, common, console, failures, people, sender

_PARTS = (
    common.TEXTS,
    console.TEXTS,
    people.TEXTS,
    failures.TEXTS,
    sender.TEXTS,
    alarms.TEXTS,
)

#: Key -> Chinese, English.
TEXTS: Mapping[str, tuple[str, str]] = {key: words for part in _PARTS for key, words in part.items()}


def text(key: str, language: str) -> str:
    """A word of the pages.  Raises KeyError when nobody wrote it."""
    return TEXTS[key][1 if language == "en" else 0]

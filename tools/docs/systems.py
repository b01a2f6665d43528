"""docs/systems.md: every system that the source documents name, what serves it, and what its tests came to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from adapters.systems import systems
from adapters.systems.rows import NamedRow, rows

_RUN = Path(__file__).resolve().parents[2] / "docs" / "systems-run.json"
_FEEDS = "tests/systems/test_feeds.py"


def page() -> Iterator[str]:
    """The table, and what an integrator should know of each system."""
    run = json.loads(_RUN.read_text("utf-8")) if _RUN.is_file() else {}
    passed: dict[str, str] = run.get("feeds", {})
    every = rows()
    exchange = [row for row in every if row.exchanges]
    yield "# 有名称的系统 · The systems with a name"
    yield ""
    yield f"The source documents name {len(every)} systems; {len(exchange)} of them exchange data with a hub, the"
    yield "others (direction –) lie inside a connected system. `→H` sends to the hub, `H→` receives from it. A feed is"
    yield "`<system>/<feed>`: `hub adapter recipe <system>` prints the settings that connect it, and"
    yield "`hub adapter simulate <system>` is its counterpart with switches for faults. Each feed is tested by"
    yield f"{_FEEDS} and, with every fault switch, by tests/systems/test_faults.py."
    yield ""
    if run:
        yield f"Last run {run['date']}: {run['passed']} of {run['tests']} tests passed, {run['size']}."
        yield ""
    yield "| # | 系统 | 方向 | 数据 | feed | channel | data sets | simulator | test |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in every:
        yield from _row(row, passed)
    yield ""
    yield "## What an integrator should know"
    yield ""
    for system in systems():
        yield f"### {system.title} · {system.title_en} (`{system.system}`)"
        yield ""
        if system.note:
            yield system.note
            yield ""
        yield f"来源 source: {system.source}" + ("；报文为我方所拟 messages are our own profile" if system.own else "")
        yield ""
        yield "| feed | direction | channel | data sets | 内容 | 特点 quirks |"
        yield "|---|---|---|---|---|---|"
        for name, feed in system.feeds.items():
            cells = [
                f"`{name}`",
                feed.direction,
                f"`{feed.channel}`",
                "、".join(feed.datasets),
                feed.title,
                feed.quirks,
            ]
            yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"
        yield ""


def _row(row: NamedRow, passed: dict[str, str]) -> Iterator[str]:
    first = [str(row.number), row.name, row.direction, row.data]
    served = list(row.feeds())
    lines = [
        [
            f"`{system.system}/{name}`",
            f"`{feed.channel}`",
            "、".join(feed.datasets),
            f"`{system.system}`",
            passed.get(f"{system.system}/{name}", "") or f"{_FEEDS}",
        ]
        for system, name, feed in served
    ]
    if row.otherwise:
        lines.append(["", row.otherwise, "", "", row.test])
    if not lines:
        lines.append(["", "–" if not row.exchanges else "**没有**", "", "", ""])
    for number, line in enumerate(lines):
        cells = (first if number == 0 else ["", "", "", ""]) + line
        yield "| " + " | ".join(_cell(cell) for cell in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")

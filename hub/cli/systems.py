"""`hub adapter systems|recipe|simulate`: the named systems, the settings that connect one, and its simulator."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters.simulators.counterpart import Counterpart
from adapters.simulators.faults import Faults
from adapters.systems import load_system
from adapters.systems import systems as every_system
from adapters.systems.recipe import recipe as recipe_of
from hub.cli.options import Json
from hub.cli.output import DONE, out, print_json, table, told
from hub.config import secret
from standards.errors import BadConfiguration


def add_to(app: typer.Typer) -> None:
    """Make them commands of `hub adapter`."""
    app.command("systems")(systems)
    app.command("recipe")(recipe)
    app.command("simulate")(simulate)


@told
def systems(as_json: Json = False) -> None:
    """有名称的系统  the named systems, what each sends and receives, over which channel."""
    rows = [
        {
            "system": system.system,
            "title": system.title,
            "title_en": system.title_en,
            "feed": name,
            "direction": feed.direction,
            "channel": feed.channel,
            "datasets": list(feed.datasets),
            "rows": list(feed.rows),
        }
        for system in every_system()
        for name, feed in system.feeds.items()
    ]
    if as_json:
        print_json(rows)
        return
    shown = [[r["system"], r["title"], r["feed"], r["direction"], r["channel"], "、".join(r["datasets"])] for r in rows]  # type: ignore[arg-type]
    table("系统 systems", ["名称", "", "数据", "方向", "通道", "数据集"], shown)


@told
def recipe(
    name: Annotated[str, typer.Argument(help="系统名称 name of the system")],
    word: Annotated[list[str] | None, typer.Option(help="填入花括号：url=https://…、code=… fill a brace")] = None,
) -> None:
    """接入一个系统的 hub.toml 片段  the part of hub.toml that connects a system; braces are yours to fill."""
    words = dict(_pair(text) for text in word or [])
    out.print(recipe_of(load_system(name), words), markup=False, highlight=False, soft_wrap=True)
    raise typer.Exit(DONE)


@told
def simulate(
    name: Annotated[str, typer.Argument(help="系统名称 name of the system")],
    port: Annotated[int, typer.Option(help="监听端口，0 为任意 port to listen on")] = 0,
    folder: Annotated[Path, typer.Option(help="文件和前置库放在这里 files and front table")] = Path("state/simulators"),
    hub: Annotated[str, typer.Option(help="枢纽地址，供主动推送和领取信箱 address of the hub")] = "",
    key: Annotated[str, typer.Option(help="密钥引用 env:名称 或 file:/路径 key by reference")] = "",
    count: Annotated[int, typer.Option(min=0, help="每轮新记录数 new records of each feed a round")] = 10,
    every: Annotated[float, typer.Option(min=0, help="每轮间隔秒数，0 为只一轮 seconds between rounds, 0: one")] = 0,
    fault: Annotated[list[str] | None, typer.Option(help="故障开关 slow=1、failing=0.3、closed=true …")] = None,
) -> None:
    """模拟一个对方系统，带故障开关  simulate a system, with switches for faults, until Ctrl-C."""
    system = load_system(name)
    counterpart = Counterpart(system, folder.absolute() / name, port=port)
    counterpart.start()
    try:
        counterpart.switch(**_switches(fault or []))
        if hub:
            counterpart.attach(hub, secret(key))
        out.print(f"{system.title} · {system.title_en}: {counterpart.url}", highlight=False)
        out.print(f"开关与计数 switches and counts: {counterpart.url}/sim/faults  {counterpart.url}/sim/counts")
        out.print(recipe_of(system, counterpart.words()), markup=False, highlight=False, soft_wrap=True)
        _rounds(counterpart, count, every)
    finally:
        counterpart.stop()


def _rounds(counterpart: Counterpart, count: int, every: float) -> None:
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    first = True
    while not ended.is_set():
        if count and (first or every):
            for feed in counterpart.sending:
                counterpart.announce(feed, count)
        first = False
        ended.wait(every or 3600)


def _switches(texts: list[str]) -> dict[str, Any]:
    """`slow=1` as a switch.  Raises BadConfiguration for words that are none."""
    known = Faults().as_dict()
    made: dict[str, Any] = {}
    for text in texts:
        name, value = _pair(text)
        if name not in known:
            raise BadConfiguration(
                f"no switch {name}", what_zh=f"没有故障开关 {name}", hint=f"there are: {', '.join(known)}"
            )
        try:
            made[name] = value.lower() in ("1", "true", "on") if isinstance(known[name], bool) else float(value)
        except ValueError as error:
            raise BadConfiguration(f"{text}: not a number", what_zh=f"{text} 不是数字") from error
    return made


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise BadConfiguration(f"{text}: write name=value", what_zh=f"{text}：请写成 名称=值")
    return name, value

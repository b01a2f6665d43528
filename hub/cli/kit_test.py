"""`hub adapter test`: everything that can be examined of an installed adapter."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Json
from hub.cli.output import DATA, DONE, SETUP, out, print_json, told
from hub.examination import Look, State, examine

_SIGNS: dict[State, str] = {"good": "[green]✓[/]", "wrong": "[red]✗[/]", "setup": "[red]![/]", "left": "–"}


@told
def examine_adapter(
    name: Annotated[str, typer.Argument(help="适配器名称 name of an installed adapter")],
    settings: Annotated[
        Path | None,
        typer.Option(help="TOML：[source]、[destination] 表，真正连接对端 settings, to really try the other side"),
    ] = None,
    as_json: Json = False,
) -> None:
    """检验适配器：清单、设置、自带映射与用例、一致性测试、对端  examine an adapter; 0 good, 1 wrong, 2 set-up."""
    looks = []
    for look in examine(name, settings):
        looks.append(look)
        if not as_json:
            _show(look)
    wrong = [look for look in looks if look.state == "wrong"]
    broken = [look for look in looks if look.state == "setup"]
    if as_json:
        print_json({"adapter": name, "ok": not wrong and not broken, "looks": [asdict(look) for look in looks]})
    else:
        out.print(
            f"{name}：{len(looks)} 项，{len(wrong)} 项不合格，{len(broken)} 项未能检验  "
            f"{len(looks)} looked at, {len(wrong)} wrong, {len(broken)} could not be",
            markup=False,
        )
    raise typer.Exit(DATA if wrong else SETUP if broken else DONE)


def _show(look: Look) -> None:
    out.print(f"{_SIGNS[look.state]} {look.what} {look.what_en}: ", end="")
    out.print(look.said, markup=False)
    for one in look.wrong:
        for line in one.splitlines():
            out.print(f"    {line}", markup=False)

"""`hub reconcile`: what we delivered to another hub against what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, out, print_json, table, told


@told
def reconcile(
    destination: Annotated[str, typer.Argument(help="投递目标（上级枢纽）destination that is a hub")],
    dataset: Annotated[list[str] | None, typer.Option(help="数据集，可重复；缺省全部 absent: all")] = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """与上级枢纽逐条对账；退出码 1 表示有差异  compare with another hub; exit code 1 when something differs."""
    body = {"destination": destination, "datasets": dataset or []}
    rows = Client.find(config, url, key).post("/v1/reconciliations", body)
    if as_json:
        print_json(rows)
    else:
        heads = ["数据集", "本方", "对方", "在途", "对方缺", "对方多", "不同", "字节"]
        names = ("dataset", "ours", "theirs", "under_way", "missing", "extra", "differs", "bytes")
        table(f"对账 {destination}", heads, ([str(row[name]) for name in names] for row in rows))
        for row in rows:
            for one in row["differences"][:20]:
                out.print(f"  {row['dataset']} {one['kind']} {one['cd_id']}", markup=False)
    differs = any(row["missing"] + row["extra"] + row["differs"] for row in rows)
    raise typer.Exit(DATA if differs else DONE)

"""`hub connection …`: how far the onboarding of each connection has come, and the conformance run before it is live."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, counts_words, out, print_json, table, told

connection = typer.Typer(no_args_is_help=True, help="接入 connections")


@connection.command("stages")
@told
def stages(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """对接进度：摸底、对接中、联调、上线  how far each connection has come."""
    rows = Client.find(config, url, key).get("/v1/connections/stages")
    if as_json:
        print_json(rows)
        return
    shown = []
    for row in rows:
        run = row["passed"]
        passed = f"{run['at']} {run['accepted']}/{run['read']} {run['mapping']}" if run else "-"
        changed = "映射已变更 changed since" if row["mapping_changed"] else ""
        shown.append(
            [
                row["connection"],
                row["party_title"],
                row["dataset"] or "-",
                row["stage_zh"],
                row["stage"],
                passed,
                changed,
            ]
        )
    heads = ["接入", "接入方", "数据集", "阶段", "stage", "通过的联调测试 passed run", ""]
    table("对接进度 stages", heads, shown)


@connection.command("test")
@told
def conformance(
    name: Annotated[str, typer.Argument(help="接入名称 name of the connection")],
    samples: Annotated[list[Path], typer.Argument(exists=True, dir_okay=False, readable=True, help="样例文件 samples")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """联调测试：校验样例，通过后方可上线  judge samples; a connection goes live after it passed."""
    client = Client.find(config, url, key)
    results = []
    for sample in samples:
        path = f"/v1/connections/{name}/test"
        results.append(client.send_file(path, sample, {"name": sample.name}, {}, lambda _size: None)[1])
    if as_json:
        print_json(results)
    else:
        for sample, said in zip(samples, results, strict=True):
            counts = {**said["counts"], "duplicate": 0}
            mark = "✓ 通过 passed" if said["passed"] else f"✗ 未通过 not passed：{said['why_zh']} {said['why']}"
            out.print(f"{sample.name}: {mark}\n    {counts_words(counts)}", markup=False)
            for one in said["records"][:5]:
                for finding in one["findings"]:
                    out.print(f"    {finding['text']}。{finding['hint']}。", markup=False)
    raise typer.Exit(DONE if all(said["passed"] for said in results) else DATA)

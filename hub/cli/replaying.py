"""`hub replay …`: stored records through today's mapping and settings once more."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, err, out, print_json, table, told
from standards.clock import SHANGHAI

replay = typer.Typer(no_args_is_help=True, help="重放 replays")

Party = Annotated[str, typer.Option(help="单位 party")]
Dataset = Annotated[str, typer.Option(help="数据集 data set")]
Code = Annotated[str, typer.Option(help="代码 finding code")]
Group = Annotated[str, typer.Option(help="异常组，见 hub failures  a failure group")]
Stage = Annotated[str, typer.Option(help="从哪一步起 raw 原始数据，mapped 映射后的内容，delivery 只重新投递")]
Connection = Annotated[str, typer.Option(help="接入 connection")]
Verdicts = Annotated[list[str] | None, typer.Option("--verdict", help="accepted rejected held duplicate，可重复")]
Since = Annotated[datetime | None, typer.Option(help="从 from (Asia/Shanghai)")]
Before = Annotated[datetime | None, typer.Option(help="到（不含）before (Asia/Shanghai)")]
To = Annotated[list[str] | None, typer.Option("--to", help="投递目标，可重复 destinations, for the stage delivery")]
Receipt = Annotated[str, typer.Option(help="回执编号 of one hand-over")]
Row = Annotated[list[int] | None, typer.Option(help="第几条，可重复 which of it")]


@replay.command("plan")
@told
def plan(
    party: Party = "",
    dataset: Dataset = "",
    code: Code = "",
    receipt: Receipt = "",
    row: Row = None,
    group: Group = "",
    stage: Stage = "raw",
    connection: Connection = "",
    verdict: Verdicts = None,
    since: Since = None,
    before: Before = None,
    to: To = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """预演：现在能通过多少，不改变任何数据  how many would pass now; nothing is written."""
    body = {"party": party, "dataset": dataset, "code": code, "receipt_no": receipt, "rows": row or []}
    body |= _from(group, stage, connection, verdict, since, before, to)
    said = Client.find(config, url, key).post("/v1/replays/rehearsal", body)
    if as_json:
        print_json(said)
    else:
        out.print(
            f"{said['records']} 条：试算 {said['tried']}，"
            f"现在通过 passes {said['passes']}，仍不通过 fails {said['fails']}"
            f"，内容已清理 gone {said['gone']}",
            markup=False,
        )
        for one in said.get("destinations", ()):
            word = "，须人工确认 needs a person's word" if one["needs_word"] else ""
            out.print(f"→ {one['destination']}：{one['parcels']} 个交换包，{one['records']} 条{word}", markup=False)
        if not said["records"] and not said.get("destinations"):
            err.print("没有符合条件的记录；异常组见 hub failures  nothing fits that choice; groups: hub failures")
            raise typer.Exit(DONE)
        lines = ([w["element"], w["code"], str(w["records"])] for w in said["still_wrong"])
        table("仍不通过 still wrong", ["数据项", "代码", "条数"], lines)
    raise typer.Exit(DATA if said["fails"] else DONE)


@replay.command("start")
@told
def start(
    party: Party = "",
    dataset: Dataset = "",
    code: Code = "",
    receipt: Receipt = "",
    row: Row = None,
    group: Group = "",
    stage: Stage = "raw",
    connection: Connection = "",
    verdict: Verdicts = None,
    since: Since = None,
    before: Before = None,
    to: To = None,
    sure: Annotated[str, typer.Option(help="谁确认重发无害及依据（对方不能识别重复时）who answers for a repeat")] = "",
    reason: Annotated[str, typer.Option(help="原因 why")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="等到结束 until it ends")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """重放  replay them."""
    body = {
        "party": party,
        "dataset": dataset,
        "code": code,
        "receipt_no": receipt,
        "rows": row or [],
        "reason": reason,
        "sure": sure,
        **_from(group, stage, connection, verdict, since, before, to),
    }
    client = Client.find(config, url, key)
    one = client.post("/v1/replays", body)
    while wait and one["state"] == "running":
        time.sleep(0.5)
        one = client.get(f"/v1/replays/{one['id']}")
        err.print(_words(one), markup=False)
    _print(one, as_json)


@replay.command("show")
@told
def show(
    identifier: Annotated[str, typer.Argument(help="重放 id  id of the replay")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """重放进度  how far it has come."""
    _print(Client.find(config, url, key).get(f"/v1/replays/{identifier}"), as_json)


@replay.command("list")
@told
def listed(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """重放列表  replays."""
    rows = Client.find(config, url, key).get("/v1/replays")
    if as_json:
        print_json(rows)
        return
    lines = ([r["id"], r["made_at"], r["state"], str(r["parts"]), str(r["records"]), r["reason"]] for r in rows)
    table("重放 replays", ["id", "时间", "状态", "报送", "记录", "原因"], lines)


def _from(
    group: str,
    stage: str,
    connection: str,
    verdicts: list[str] | None,
    since: datetime | None,
    before: datetime | None,
    to: list[str] | None,
) -> dict[str, Any]:
    return {
        "group": group,
        "stage": stage,
        "connection": connection,
        "verdicts": verdicts or [],
        "since": since.replace(tzinfo=SHANGHAI).isoformat() if since else None,
        "before": before.replace(tzinfo=SHANGHAI).isoformat() if before else None,
        "destinations": to or [],
    }


def _turn(to: str, identifier: str, config: Path, url: str, key: str) -> None:
    _print(Client.find(config, url, key).post(f"/v1/replays/{identifier}/{to}"), False)


@replay.command("pause")
@told
def pause(
    identifier: Annotated[str, typer.Argument(help="重放 id  id of the replay")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """暂停  pause it."""
    _turn("pause", identifier, config, url, key)


@replay.command("resume")
@told
def resume(
    identifier: Annotated[str, typer.Argument(help="重放 id  id of the replay")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """继续  go on."""
    _turn("resume", identifier, config, url, key)


@replay.command("cancel")
@told
def cancel(
    identifier: Annotated[str, typer.Argument(help="重放 id  id of the replay")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """取消；已开始的会做完  begin nothing further."""
    _turn("cancel", identifier, config, url, key)


def _words(one: dict[str, Any]) -> str:
    done = one["progress"]
    return (
        f"{one['state']}：{done['begun']}/{one['parts']} 次报送 hand-overs，{done['read']}/{one['records']} 条："
        f"接收 accepted {done['accepted']}，退回 rejected {done['rejected']}，待定 held {done['held']}，"
        f"重复 duplicate {done['duplicate']}"
    )


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
    else:
        out.print(f"{one['id']} {_words(one)}", markup=False)

"""`hub alarms …`: what is wrong, acknowledged by a person; who is told, tried; and whether the ways are open."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import out, print_json, table, told

alarms = typer.Typer(no_args_is_help=True, help="告警 alarms")


@alarms.command("list")
@told
def listed(
    over: Annotated[bool, typer.Option("--over", help="近一月已恢复的 those that are over")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """未恢复的告警，严重的在前  open alarms, the grave ones first."""
    rows = Client.find(config, url, key).get("/v1/alarms", over=over)
    if as_json:
        print_json(rows)
        return
    if not rows:
        out.print("没有告警 no alarms", markup=False)
        return
    table("告警 alarms", ["编号", "规则", "内容", "开始", "恢复", "确认人", "已通知", "待通知"], map(_row, rows))


@alarms.command("acknowledge")
@told
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="编号 id")],
    named: Annotated[str, typer.Option(help="处理人 who is at it")],
    note: Annotated[str, typer.Option(help="说明 note")] = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """确认告警：有人处理，不再升级  somebody is at it; further contacts are not told."""
    body = {"named": named, "note": note}
    one = Client.find(config, url, key).post(f"/v1/alarms/{alarm}/acknowledge", body)
    out.print(f"{one['zh']}：{one['acknowledged_by']}", markup=False)


@alarms.command("contacts")
@told
def contacts(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """告警联系人  who is told of what."""
    rows = Client.find(config, url, key).get("/v1/alarms/contacts")
    if as_json:
        print_json(rows)
        return
    lines = (
        [
            r["contact"],
            r["title"],
            r["way"],
            "、".join(r["rules"]) or "全部 all",
            f"{r['after_seconds'] / 60:g} min" if r["after_seconds"] else "-",
            str(r["waiting"]),
            r["error"],
        ]
        for r in rows
    )
    table("联系人 contacts", ["名称", "对象", "方式", "规则", "升级", "待发", "最近错误"], lines)


@alarms.command("test")
@told
def try_out(
    contact: Annotated[str, typer.Argument(help="联系人 contact")],
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """向联系人发送测试消息  send a test message now."""
    said = Client.find(config, url, key).post(f"/v1/alarms/contacts/{contact}/test")
    out.print(f"{said['contact']}：已发送 sent {said['at']}", markup=False)


@alarms.command("canaries")
@told
def canaries(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """各通路的探测记录  how old the last test record of each way is."""
    rows = Client.find(config, url, key).get("/v1/canaries")
    if as_json:
        print_json(rows)
        return
    lines = (
        [
            r["way"],
            f"{r['reach_zh']} {r['reach_en']}",
            r["last_at"] or "-",
            f"{r['age_seconds']:.0f} s" if r["age_seconds"] is not None else "-",
            "超时 late" if r["late"] else "",
            r["problem"],
        ]
        for r in rows
    )
    table("探测记录 canaries", ["通路", "范围", "最近返回", "距今", "", "问题"], lines)


def _row(one: dict[str, Any]) -> list[str]:
    return [
        one["id"],
        f"{one['rule_zh']}{'（严重）' if one['grave'] else ''}",
        one["zh"],
        one["since"],
        one["recovered_at"] or "-",
        one["acknowledged_by"] or "-",
        "、".join(one["told"]) or "-",
        "、".join(one["waiting"]) or "-",
    ]

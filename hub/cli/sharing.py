"""`hub grant …`, `hub looks`, `hub subject`: who may see what, who looked, and everything known of one subject."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import out, print_json, table, told

grant = typer.Typer(no_args_is_help=True, help="共享授权 grants")

Purpose = Annotated[str, typer.Option(help="用途 what it is for")]


@grant.command("list")
@told
def listed(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """授权列表  grants, the newest first."""
    rows = Client.find(config, url, key).get("/v1/grants")
    if as_json:
        print_json(rows)
        return
    heads = ["授权 id", "所有单位", "接收单位", "数据集", "数据项", "用途", "截止", "状态"]
    table("共享授权 grants", heads, map(_line, rows))


def _line(one: dict[str, Any]) -> list[str]:
    state = "有效 counts" if one["counts"] else "已终止 ended" if one["ended_at"] else "到期 expired"
    if not one["counts"] and not one["ended_at"] and not one["consent_at"]:
        state = "待同意 not consented"
    return [
        one["id"],
        one["owner"],
        one["receiver"],
        one["dataset"],
        str(len(one["elements"])),
        one["purpose"],
        one["until"][:10],
        state,
    ]


@grant.command("add")
@told
def add(
    owner: Annotated[str, typer.Argument(help="数据所有单位 party whose data it is")],
    receiver: Annotated[str, typer.Argument(help="接收单位 party that may see it")],
    dataset: Annotated[str, typer.Argument(help="数据集 data set")],
    purpose: Purpose,
    until: Annotated[str, typer.Option(help="截止日期 last day, YYYY-MM-DD")],
    element: Annotated[
        list[str] | None, typer.Option(help="数据项，可重复；不填：除个人信息外全部 absent: all but personal ones")
    ] = None,
    rule: Annotated[str, typer.Option(help="只限符合的记录 expression: only these records")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """登记授权；所有单位同意后才生效  write a grant down; it counts once the owner consented."""
    body = {
        "owner": owner,
        "receiver": receiver,
        "dataset": dataset,
        "purpose": purpose,
        "until": f"{until}T23:59:59+08:00" if len(until) == len("2026-12-31") else until,
        "elements": element or [],
        "rule": rule,
    }
    _told(Client.find(config, url, key).post("/v1/grants", body), as_json)


@grant.command("consent")
@told
def consent(
    grant_id: Annotated[str, typer.Argument(help="授权 id  id of the grant")],
    named: Annotated[str, typer.Option(help="同意人姓名、依据 who consented, on what ground")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """登记所有单位的同意  write the owner's consent down."""
    _told(Client.find(config, url, key).post(f"/v1/grants/{grant_id}/consent", {"named": named}), as_json)


@grant.command("end")
@told
def end(
    grant_id: Annotated[str, typer.Argument(help="授权 id  id of the grant")],
    reason: Annotated[str, typer.Option(help="原因 reason")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """终止授权；尚未投递的也不再外发  end a grant; what still waits stays here."""
    _told(Client.find(config, url, key).post(f"/v1/grants/{grant_id}/end", {"reason": reason}), as_json)


def _told(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    table("共享授权 grants", ["授权 id", "所有", "接收", "数据集", "项", "用途", "截止", "状态"], [_line(one)])


@told
def looks(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="最多多少条 so many at most")] = 50,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """谁看过数据  who looked at whose data."""
    rows = Client.find(config, url, key).get("/v1/looks", limit=limit)
    if as_json:
        print_json(rows)
        return
    heads = ["时间", "查看单位", "数据归属", "数据集", "方式", "条数", "用途"]
    lines = (
        [r["at"][:19], r["party"] or "运维 operator", r["owner"], r["dataset"], r["way"], str(r["count"]), r["purpose"]]
        for r in rows
    )
    table("查看记录 looks", heads, lines)


@told
def record(
    dataset: Annotated[str, typer.Argument(help="数据集 data set")],
    key_parts: Annotated[list[str], typer.Argument(help="业务主键，按次序 natural key, its parts in order")],
    owner: Annotated[str, typer.Option(help="归属单位代码 owner")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """一条记录的全部经过：各版次、来源、投递、异常，今天的规则怎么说  everything about one record."""
    body = {"dataset": dataset, "key": key_parts, "owner": owner}
    told_ = Client.find(config, url, key).post("/v1/records/history", body)
    if as_json:
        print_json(told_)
        return
    for one in told_["records"]:
        out.print(f"{told_['title']}  归属 {one['owner']}  报送 {one['party']}  版次 {one['revision']}", markup=False)
        for rev in one["revisions"]:
            sent = "；".join(f"{d['destination']} {d['state']} {d['ended_at']}" for d in rev["deliveries"]) or "-"
            out.print(
                f"  {rev['revision']} {rev['received_at']} {rev['receipt_no']} {rev['mapping']} → {sent}", markup=False
            )
        for case in one["cases"]:
            out.print(
                f"  异常 case {case['code']} {case['opened_at']} … {case['closed_at'] or '未关闭 open'}", markup=False
            )
        wrong = [f for f in one["today"] or [] if f["severity"] == "error"]
        said = "、".join(f"{f['element']} {f['code']}" for f in wrong) or "合格 right"
        out.print(f"  今天的规则 today's rules: {'内容已清理 gone' if one['today'] is None else said}", markup=False)


@told
def subject(
    code: Annotated[str, typer.Argument(help="统一社会信用代码 credit code")],
    purpose: Purpose,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """一户一档：各数据集、各部门、各时间的全部数据，来源与矛盾  everything known of one subject."""
    file = Client.find(config, url, key).post("/v1/subjects/query", {"code": code, "purpose": purpose})
    if as_json:
        print_json(file)
        return
    lines = ([name, one["value"], one["party"], one["dataset"]] for name, one in file["elements"].items())
    table(f"{code}", ["项", "值", "来源单位", "数据集"], lines)
    for one in file["conflicts"]:
        others = "；".join(f"{said['party']}：{said['value']}" for said in one["differs"])
        held = f"{one['holds']['party']}：{one['holds']['value']}"
        out.print(f"✗ 不一致 differs  {one['element']}  {held}  ≠  {others}", markup=False)
    events = (
        [r["event_date"], r["dataset_title"], r["party"], r["cd_id"], str(r["revision"])] for r in file["timeline"]
    )
    table("时间线 timeline", ["日期", "数据集", "报送单位", "编号", "版次"], events)

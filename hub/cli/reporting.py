"""`hub report …`: evaluation by span, 整改通知, 通报."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import out, print_json, table, told
from hub.reports.span import Every

report = typer.Typer(no_args_is_help=True, help="考核与报表 reports")

Send = Annotated[bool, typer.Option("--send", help="同时作为消息发出 send it as a message too")]


@report.command("show")
@told
def show(
    every: Annotated[Every, typer.Argument(help="周期 day week month quarter year")] = "month",
    at: Annotated[str, typer.Option(help="期间内的任一天 any day of it, e.g. 2026-09-01")] = "",
    file: Annotated[Path | None, typer.Option("--out", help="写成 Excel 文件 write an .xlsx file")] = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """日报、周报、月报、季报、年报：数量、退回率、及时率、覆盖率、异常、得分、名次  figures and rank of a span."""
    client = Client.find(config, url, key)
    if file is not None:
        query = f"?every={every}" + (f"&at={at}" if at else "")
        file.write_bytes(client.content(f"/v1/reports/workbook{query}"))
        out.print(f"已写入 written: {file}", markup=False)
        return
    found = client.get("/v1/reports", every=every, at=at or None)
    if as_json:
        print_json(found)
        return
    names = ("rank", "party_title", "score", "handed", "accepted", "rejected")
    counts = ("cases_opened", "cases_overdue")
    shares = ("error_rate", "in_time_rate", "timeliness", "coverage")
    heads = ["名次", "单位", "得分", "报送", "通过", "退回", "退回率", "按期率", "及时率", "覆盖率", "异常", "超期"]
    rows = [
        [*(_text(row[n]) for n in names), *(_share(row[n]) for n in shares), *(str(row[n]) for n in counts)]
        for row in found["parties"]
    ]
    table(f"{found['title']} {found['first']} – {found['last']}", heads, rows)


@report.command("rectify")
@told
def rectify(
    party: Annotated[str, typer.Argument(help="单位 party")],
    send: Send = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """整改通知：某单位未办结的异常与期限  what a party must mend, until when."""
    client = Client.find(config, url, key)
    path = "/v1/reports/rectification"
    found = client.post(path, {"party": party}) if send else client.get(path, party=party)
    if as_json:
        print_json(found)
        return
    _cases(f"整改通知 {found['party_title']}，期限 {found['due_at'] or found['due_missing']}", found["cases"])
    _sent(found)


@report.command("circular")
@told
def circular(
    send: Send = False, config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = ""
) -> None:
    """通报：超期未处置的异常，按单位  what is overdue, by party."""
    client = Client.find(config, url, key)
    found = client.post("/v1/reports/circular") if send else client.get("/v1/reports/circular")
    if as_json:
        print_json(found)
        return
    for one in found["parties"]:
        _cases(f"通报 {one['party_title']}", one["cases"])
    if not found["parties"]:
        out.print("没有超期的异常 nothing is overdue", markup=False)
    _sent(found)


def _cases(title: str, cases: list[dict[str, object]]) -> None:
    names = ("class_zh", "dataset_title", "code", "cases", "opened_at", "due_at")
    heads = ["类别", "数据集", "代码", "件数", "发现", "期限"]
    table(title, heads, ([_text(one[n]) for n in names] for one in cases))


def _sent(found: dict[str, object]) -> None:
    if "sent" in found:
        out.print(f"已发出 messages sent: {found['sent']}", markup=False)


def _text(value: object) -> str:
    return "—" if value is None else str(value)


def _share(value: float | None) -> str:
    return "—" if value is None else f"{value:.1%}"

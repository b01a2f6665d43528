"""`hub cases …`: what went wrong, who must act, until when; taken up or waived a whole group at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import out, print_json, table, told

cases = typer.Typer(no_args_is_help=True, help="异常 cases")

Party = Annotated[str, typer.Option(help="单位 party")]
Dataset = Annotated[str, typer.Option(help="数据集 data set")]
Code = Annotated[str, typer.Option(help="代码 finding code")]
Class = Annotated[str, typer.Option("--class", help="1 未报送 2 报送错误 3 报送不一致 8 存疑 9 需运维处理")]


@cases.command("list")
@told
def listed(
    party: Party = "",
    class_: Class = "",
    dataset: Dataset = "",
    code: Code = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """未关闭的异常，按原因和期限分组，最紧急的在前  open cases by cause, the most urgent first."""
    words = {"party": party, "class": class_, "dataset": dataset, "code": code}
    rows = Client.find(config, url, key).get("/v1/cases", **words)
    if as_json:
        print_json(rows)
        return
    _table("异常 cases", rows)


@cases.command("overdue")
@told
def overdue(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """通报：超期未处置的，按单位  what is overdue, by party."""
    found = Client.find(config, url, key).get("/v1/cases/circular")
    if as_json:
        print_json(found)
        return
    for party, rows in found.items():
        _table(party, rows)
    if not found:
        out.print("没有超期的异常 nothing is overdue", markup=False)


@cases.command("take")
@told
def take(
    party: Party = "",
    class_: Class = "",
    dataset: Dataset = "",
    code: Code = "",
    note: Annotated[str, typer.Option(help="说明 note")] = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """一组异常转为处置中  somebody is at them."""
    _act("take", {"party": party, "class": class_, "dataset": dataset, "code": code, "reason": note}, config, url, key)


@cases.command("waive")
@told
def waive(
    named: Annotated[str, typer.Option(help="批准人 who allows it")],
    reason: Annotated[str, typer.Option(help="理由 why")],
    party: Party = "",
    class_: Class = "",
    dataset: Dataset = "",
    code: Code = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """登记豁免，不补报即关闭  close without data, by a written waiver."""
    words = {"party": party, "class": class_, "dataset": dataset, "code": code, "named": named, "reason": reason}
    _act("waive", words, config, url, key)


@cases.command("nothing")
@told
def nothing(
    named: Annotated[str, typer.Option(help="申报人 who says it")],
    party: Party = "",
    dataset: Dataset = "",
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """零报告：本期没有业务（仅未报送）  there was nothing to report."""
    _act("nothing", {"party": party, "dataset": dataset, "named": named}, config, url, key)


@told
def notices(
    unread: Annotated[bool, typer.Option("--unread", help="只要未读 unread only")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """提醒与通知  who was told what."""
    rows = Client.find(config, url, key).get("/v1/notices", unread=unread)
    if as_json:
        print_json(rows)
        return
    lines = ([r["at"], r["whom"] or "运维 operator", r["says"], r["about"]] for r in rows)
    table("通知 notices", ["时间", "对象", "内容", "事由"], lines)


def _act(step: str, words: dict[str, Any], config: Path, url: str, key: str) -> None:
    done = Client.find(config, url, key).post("/v1/cases/steps", {"step": step, **words})
    out.print(f"{done['cases']} 件异常 cases", markup=False)


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    heads = ["单位", "类别", "数据集", "代码", "件数", "处置中", "发现", "期限", "剩余工作日"]
    lines = (
        [
            r["party"] or "-",
            r["class_zh"],
            r["dataset"] or "-",
            r["code"] + (f" → {r['destination']}" if r["destination"] else ""),
            str(r["cases"]),
            str(r["disposing"]),
            r["opened_at"],
            r["due_at"] or r["due_missing"],
            "超期 overdue" if r["overdue"] else str(r["working_days_left"]),
        ]
        for r in rows
    )
    table(title, heads, lines)

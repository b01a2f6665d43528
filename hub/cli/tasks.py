"""`hub tasks …`: what must be answered, by whom, until when; and the steps."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import err, out, print_json, table, told
from standards.errors import BadConfiguration

tasks = typer.Typer(no_args_is_help=True, help="协同任务 tasks")


@tasks.command("list")
@told
def listed(
    flow: Annotated[str, typer.Option(help="只要这个流程 this flow only")] = "",
    number: Annotated[str, typer.Option(help="来源编号 the number its source gave it")] = "",
    pool: Annotated[bool, typer.Option("--pool", help="只要待派发、待认领的 that belong to nobody")] = False,
    ended: Annotated[bool, typer.Option("--ended", help="也要已办结的 those that ended too")] = False,
    limit: Annotated[int, typer.Option(min=1, max=500, help="最多多少件 so many at most")] = 50,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """任务列表，最紧急的在前  tasks, the most urgent first."""
    words = {"flow": flow, "number": number, "pool": pool, "ended": ended, "limit": limit}
    rows = Client.find(config, url, key).get("/v1/tasks", **words)
    if as_json:
        print_json(rows)
        return
    heads = ["任务 id", "流程", "编号", "来自", "承办", "状态", "到期", ""]
    table("协同任务 tasks", heads, map(_line, rows))


def _line(one: dict[str, Any]) -> list[str]:
    late = "已升级 escalated" if one["escalated_at"] else "超期 overdue" if one["overdue"] else ""
    due = (one["due_at"] or one["due_missing"] or "-")[:16].replace("T", " ")
    return [
        one["id"],
        one["flow_title"],
        one["number"],
        one["sender"],
        one["assignee"] or "（公共池 pool）",
        one["state_title"],
        due,
        late,
    ]


@tasks.command("counts")
@told
def counts(config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = "") -> None:
    """各流程、状态、承办单位的任务数  open and overdue tasks by flow, state and assignee."""
    rows = Client.find(config, url, key).get("/v1/tasks/counts")
    if as_json:
        print_json(rows)
        return
    heads = ["流程", "状态", "承办", "在办 open", "超期 overdue"]
    lines = (
        [r["flow_title"], r["state_title"], r["assignee"] or "（公共池 pool）", str(r["open"]), str(r["overdue"])]
        for r in rows
    )
    table("协同任务 tasks", heads, lines)


@tasks.command("show")
@told
def show(
    task: Annotated[str, typer.Argument(help="任务 id  id of the task")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """任务详情、经过和现在可以执行的步骤  a task, its steps, and what may be done now."""
    _print(Client.find(config, url, key).get(f"/v1/tasks/{task}"), as_json)


@tasks.command("step")
@told
def step(
    task: Annotated[str, typer.Argument(help="任务 id  id of the task")],
    name: Annotated[str, typer.Argument(help="步骤 name of the step")],
    said: Annotated[list[str] | None, typer.Argument(help="数据项=值 element=value; party=…: whom it goes to")] = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """办理：签收、转办、反馈等  take a step."""
    body = {"step": name, "said": dict(_pair(word) for word in said or ())}
    _print(Client.find(config, url, key).post(f"/v1/tasks/{task}/steps", body), as_json)


@tasks.command("worklist")
@told
def worklist(
    flow: Annotated[str, typer.Argument(help="流程 kind of task")],
    out_file: Annotated[Path, typer.Option("--out", help="另存为 save it as")] = Path("worklist.xlsx"),
    config: Config = Path("hub.toml"),
    url: Url = "",
    key: Key = "",
) -> None:
    """待办清单（Excel），填好后按反馈报送  the work list in Excel; filled in, it is handed over as answers."""
    out_file.write_bytes(Client.find(config, url, key).content(f"/v1/tasks/worklist.xlsx?flow={flow}"))
    err.print(f"已保存 saved: {out_file}")


def _pair(word: str) -> tuple[str, str]:
    name, equals, value = word.partition("=")
    if not equals:
        raise BadConfiguration(
            f"{word}: say element=value",
            what_zh=f"{word}：请写作 数据项=值",
            hint="for example handle_result=done",
            hint_zh="例如 handle_result=已办结",
        )
    return name, value


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    out.print(f"{one['flow_title']} {one['number']}  {one['state_title']} {one['state_title_en']}", markup=False)
    out.print(f"  来自 from {one['sender']}，承办 assignee {one['assignee'] or '（公共池 pool）'}", markup=False)
    out.print(f"  到期 due {one['due_at'] or one['due_missing'] or '-'}", markup=False)
    if any(one["duty"].values()):
        duty = one["duty"]
        out.print(f"  责任领导 {duty['leader']}  责任机构 {duty['organ']}  责任人 {duty['person']}", markup=False)
    for taken in one["steps"]:
        who = taken["party"] or "枢纽 hub"
        out.print(f"  {taken['at'][:19]} {taken['step']} → {taken['state']}  {who}", markup=False)
    for may in one["allowed"]:
        needs = f"（{', '.join(may['needs'])}）" if may["needs"] else ""
        out.print(f"  可以 allowed: {may['step']} {may['title']} {may['title_en']}{needs}", markup=False)

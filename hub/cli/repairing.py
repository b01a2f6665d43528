"""`hub repair …`: values mended by rule, rehearsed, approved, run, undone."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, out, print_json, table, told
from hub.cli.replaying import Code, Dataset, Group, Party, Receipt, Row
from standards.errors import BadSetup

repair = typer.Typer(no_args_is_help=True, help="按规则修复 repair by rule")

Steps = Annotated[
    list[str],
    typer.Option(
        "--step",
        help="可重复、依次执行 repeatable: 'trim 列' 'pad 列 6 0' 'date 列 %Y年%m月%d日' 'number 列 万元 10000' "
        "'replace 列 旧=新 …' 'fill 列 依据列 值=填入 …' 'fill 列 依据列 @查询 字段' 'correct 列 第几条=新值 …'",
    ),
]
Identifier = Annotated[str, typer.Argument(help="修复 id  id of the repair")]


def step_of(text: str) -> dict[str, Any]:
    """A step as it is typed.  Raises BadSetup."""
    verb, *words = shlex.split(text)
    try:
        field, *rest = words
        if verb == "trim":
            return {"verb": verb, "field": field, "chars": rest[0] if rest else ""}
        if verb == "pad":
            return {"verb": verb, "field": field, "width": int(rest[0]), "fill": rest[1] if rest[1:] else "0"}
        if verb == "date":
            return {"verb": verb, "field": field, "reads": rest[0], "writes": rest[1] if rest[1:] else "%Y-%m-%d"}
        if verb == "number":
            unit, factor = (rest[0] if rest else ""), (rest[1] if rest[1:] else "1")
            return {"verb": verb, "field": field, "unit": unit, "factor": factor}
        if verb == "replace":
            return {"verb": verb, "field": field, "table": _pairs(rest)}
        if verb == "fill" and rest[1].startswith("@"):
            return {"verb": verb, "field": field, "by": rest[0], "lookup": rest[1][1:], "gives": rest[2]}
        if verb == "fill":
            return {"verb": verb, "field": field, "by": rest[0], "table": _pairs(rest[1:])}
        if verb == "correct":
            return {"verb": verb, "field": field, "values": _pairs(rest)}
    except (IndexError, ValueError) as error:
        raise BadSetup(f"the step {text!r} is not complete", what_zh=f"步骤 {text} 不完整") from error
    raise BadSetup(f"there is no verb {verb}", what_zh=f"没有修复动作 {verb}", hint="see: hub repair plan --help")


def _pairs(words: list[str]) -> dict[str, str]:
    return {one.partition("=")[0]: one.partition("=")[2] for one in words if "=" in one}


@repair.command("plan")
@told
def plan(
    step: Steps,
    party: Party = "",
    dataset: Dataset = "",
    code: Code = "",
    group: Group = "",
    receipt: Receipt = "",
    row: Row = None,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """预演：修复后能通过多少，改动前后对照，不改变任何数据  before and after side by side; nothing is written."""
    body = _body(step, party, dataset, code, group, receipt, row)
    said = Client.find(config, url, key).post("/v1/repairs/rehearsal", body)
    if as_json:
        print_json(said)
    else:
        _tell(said)
    raise typer.Exit(DATA if said["fails"] else DONE)


@repair.command("start")
@told
def start(
    step: Steps,
    reason: Annotated[str, typer.Option(help="原因 why")],
    party: Party = "",
    dataset: Dataset = "",
    code: Code = "",
    group: Group = "",
    receipt: Receipt = "",
    row: Row = None,
    consent: Annotated[str, typer.Option(help="数据归属单位的同意人 who of the owner allowed it")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """修复并重放；进度见 hub replay show  mend and replay."""
    body = {**_body(step, party, dataset, code, group, receipt, row), "reason": reason, "consent": consent}
    _print(Client.find(config, url, key).post("/v1/repairs", body), as_json)


@repair.command("approve")
@told
def approve(
    identifier: Identifier, config: Config = Path("hub.toml"), as_json: Json = False, url: Url = "", key: Key = ""
) -> None:
    """批准（须由另一人）  a second person lets it run."""
    _print(Client.find(config, url, key).post(f"/v1/repairs/{identifier}/approve"), as_json)


@repair.command("undo")
@told
def undo(
    identifier: Identifier,
    reason: Annotated[str, typer.Option(help="原因 why")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """撤销：收回放行的记录，异常重新打开  take back what it let through; its cases open again."""
    _print(Client.find(config, url, key).post(f"/v1/repairs/{identifier}/undo", {"reason": reason}), as_json)


@repair.command("record")
@told
def record(
    receipt: Annotated[str, typer.Argument(help="回执编号 receipt number")],
    row: Annotated[int, typer.Argument(help="第几条 which record of it")],
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """一条原始记录及其问题  one record as it was handed over."""
    one = Client.find(config, url, key).get(f"/v1/repairs/records/{receipt}/{row}")
    if as_json:
        print_json(one)
        return
    lines = ([("● " if f["wrong"] else "") + f["field"], f["value"], "、".join(f["elements"])] for f in one["fields"])
    table(f"{receipt} {one['place_zh']}", ["列", "值", "数据项"], lines)
    for said in one["findings"]:
        out.print(f"[{said['code']}] {said['text']}", markup=False)


@repair.command("edit")
@told
def edit(
    receipt: Annotated[str, typer.Argument(help="回执编号 receipt number")],
    row: Annotated[int, typer.Argument(help="第几条 which record of it")],
    change: Annotated[list[str], typer.Option("--set", help="列=新值，可重复 column=value, repeatable")],
    reason: Annotated[str, typer.Option(help="原因 why")] = "",
    consent: Annotated[str, typer.Option(help="数据归属单位的同意人 who of the owner allowed it")] = "",
    rehearse: Annotated[bool, typer.Option("--plan", help="只预演 rehearse only")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """修改一条记录并重新报送  mend one record and hand it in once more."""
    client, where = Client.find(config, url, key), f"/v1/repairs/records/{receipt}/{row}"
    if not rehearse:
        body = {"changes": _pairs(change), "reason": reason, "consent": consent}
        _print(client.post(where, body), as_json)
        return
    said = client.post(f"{where}/rehearsal", {"changes": _pairs(change)})
    if as_json:
        print_json(said)
    else:
        _tell(said)
    raise typer.Exit(DATA if said["fails"] else DONE)


def _body(
    step: list[str], party: str, dataset: str, code: str, group: str, receipt: str, row: list[int] | None
) -> dict[str, Any]:
    which: dict[str, Any] = {"party": party, "dataset": dataset, "code": code, "group": group}
    which |= {"receipt_no": receipt, "rows": row or []}
    return {**which, "steps": [step_of(one) for one in step]}


def _tell(said: dict[str, Any]) -> None:
    out.print(
        f"{said['records']} 条：试算 {said['tried']}，修复后通过 passes {said['passes']}，"
        f"仍不通过 fails {said['fails']}，内容已清理 gone {said['gone']}",
        markup=False,
    )
    changed = ([s["receipt_no"], s["place"], s["field"], s["before"], s["after"]] for s in said["samples"])
    table("改动 changes", ["回执", "位置", "列", "原值", "新值"], changed)
    lines = ([w["element"], w["code"], str(w["records"])] for w in said["still_wrong"])
    table("仍不通过 still wrong", ["数据项", "代码", "条数"], lines)


def _print(one: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(one)
        return
    said = f"{one['id']} {one['state']}：{one['records']} 条 records"
    out.print(said + (f"，不能撤销 left {one['left']}" if one.get("left") else ""), markup=False)

"""`hub reconcile`: with another hub, with a sender by its statement; and what was compared before."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, out, print_json, table, told

_SHOWN = 20


@told
def reconcile(
    destination: Annotated[str, typer.Argument(help="投递目标（上级枢纽）destination that is a hub")] = "",
    dataset: Annotated[list[str] | None, typer.Option(help="数据集，可重复；缺省全部 absent: all")] = None,
    statement: Annotated[
        Path | None, typer.Option(help="报送清单（CSV、Excel），与本方读到的核对 a sender's statement to compare")
    ] = None,
    party: Annotated[str, typer.Option(help="清单是谁的 whose statement")] = "",
    report: Annotated[str, typer.Option(help="报送该日的对账报告 hand in our report of a day, 2026-09-01")] = "",
    resend: Annotated[
        str, typer.Option(help="补发一次对账中对方所缺的记录 id of a comparison: send what the other side lacks")
    ] = "",
    rehearse: Annotated[bool, typer.Option("--rehearse", help="只预演补发 with --resend: send nothing")] = False,
    reason: Annotated[str, typer.Option(help="补发原因 why it is sent")] = "",
    sure: Annotated[str, typer.Option(help="谁确认重发无害及依据（对方不能识别重复时）who answers for a repeat")] = "",
    show: Annotated[str, typer.Option(help="查看一次对账的差异 id of a comparison: what differs")] = "",
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """与上级枢纽逐条对账，或按清单与报送单位对账；不给目标则列出对账记录；退出码 1 表示有差异
    compare with another hub or a sender, or list what was compared; exit code 1 when something differs."""
    client = Client.find(config, url, key)
    if report:
        made = client.post("/v1/reconciliations/reports", {"destination": destination, "day": report})
        out.print(f"对账报告 {made['records']} 条 records handed in", markup=False)
        return
    if resend:
        _resend(client, resend, rehearse, {"reason": reason, "sure": sure}, as_json)
        return
    if statement is not None:
        words = {"name": statement.name} | ({"party": party} if party else {})
        _, rows = client.send_file("/v1/reconciliations/statements", statement, words, {}, lambda _: None)
    elif show:
        rows = [client.get(f"/v1/reconciliations/{show}")]
    elif destination:
        rows = client.post("/v1/reconciliations", {"destination": destination, "datasets": dataset or []})
    else:
        rows = client.get("/v1/reconciliations")
    if as_json:
        print_json(rows)
    else:
        _table(f"对账 {destination}", rows)
    asked = destination or show or statement
    raise typer.Exit(DATA if asked and not all(row["agrees"] for row in rows) else DONE)


def _resend(client: Client, identifier: str, only_told: bool, said: dict[str, str], as_json: bool) -> None:
    """Rehearsed first, always; then sent."""
    plan = client.post(f"/v1/reconciliations/{identifier}/rehearsal", {})
    made = None if only_told or not plan["records"] else client.post(f"/v1/reconciliations/{identifier}/resend", said)
    if as_json:
        print_json({**plan, **(made or {})})
        return
    out.print(
        f"→ {plan['destination']}：补发 would send {plan['records']}，对方已有 there {plan['there']}，"
        f"在途 under way {plan['under_way']}，仅对方有 only there {plan['extra']}",
        markup=False,
    )
    for key in plan["samples"]:
        out.print(f"  {key}", markup=False)
    if plan["needs_word"] and only_told:
        out.print("对方不能识别重复，须 --sure  it cannot tell a repeat: --sure is needed", markup=False)
    if made is not None:
        out.print(f"已补发 {made['records']} 条 sent; hub replay show {made['replay']}", markup=False)


def _table(title: str, rows: list[dict[str, Any]]) -> None:
    heads = [
        "时间",
        "方式",
        "对方",
        "单位",
        "数据集",
        "期间",
        "本方",
        "对方数",
        "在途",
        "对方缺",
        "对方多",
        "不同",
        "结果",
        "编号",
    ]
    lines = (
        [
            row["at"],
            row["way_zh"],
            row["counterpart"],
            row["party"] or "-",
            row["dataset"],
            "–".join(dict.fromkeys(row["period"])) if row["period"] else "全部",
            _counts(row["ours"]),
            _counts(row["theirs"]),
            *(str(row[name]) for name in ("under_way", "missing", "extra", "differs")),
            "一致" if row["agrees"] else "不一致",
            row["id"],
        ]
        for row in rows
    )
    table(title, heads, lines)
    for row in rows:
        keys = [(b["bucket"], one) for b in row.get("buckets", ()) for one in b["keys"]]
        for bucket, one in keys[:_SHOWN]:
            out.print(f"  {row['dataset']} 桶 {bucket} {one['kind_zh']} {one['kind']} {one['cd_id']}", markup=False)
        if len(keys) > _SHOWN:
            out.print(f"  …（{len(keys)} 条，见 --json）", markup=False)


def _counts(said: dict[str, Any]) -> str:
    return " ".join(f"{name} {value}" for name, value in said.items() if name not in ("digest", "day", "work"))

"""`hub standard rehearse|senders`: what a change would do to what was handed over, and who sends which version."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

from hub.bootstrap import build, prepare
from hub.cli.options import Config, Json
from hub.cli.output import DATA, DONE, err, out, print_json, table, told
from hub.generations import assemble
from hub.rehearsal import Rehearsed, senders
from hub.rehearsal import rehearse as run
from standards.clock import local_text
from standards.findings import catalogue

Days = Annotated[int, typer.Option(min=1, max=800, help="回看多少天 days to look back")]


@told
def rehearse(
    candidate: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="新的 hub.toml（其站点目录有新的标准或映射）new settings"),
    ],
    config: Config = Path("hub.toml"),
    days: Days = 31,
    dataset: Annotated[str, typer.Option(help="只要这个数据集 this data set only")] = "",
    connection: Annotated[list[str] | None, typer.Option(help="只要这些接入，可重复 these connections only")] = None,
    as_json: Json = False,
) -> None:
    """预演：已收到的数据按新标准、新映射重新校验，不改变任何数据  what was handed over, through new settings.

    Exit code 1 when records that passed would fail.
    """
    settings, _body = prepare(config)
    _new, body = prepare(candidate)
    hub = build(settings)
    laid = Path(_new.hub.state) / "generations" / f"check-{body.digest[:12]}"
    try:
        until = hub.clock.now()

        def tell(done: Rehearsed) -> None:
            if done.submissions % 100 == 0:
                err.print(f"{done.submissions} 次报送 hand-overs, {done.records} 条 records …")

        generation = assemble(0, body, laid, hub.seal)
        done = run(
            hub.ledger,
            hub.seal,
            generation,
            until - timedelta(days=days),
            until,
            dataset=dataset,
            connections=connection or (),
            tell=tell,
        )
    finally:
        hub.ledger.close()
    _print(done, as_json)
    raise typer.Exit(DATA if done.newly_failing else DONE)


def _print(done: Rehearsed, as_json: bool) -> None:
    causes = [
        {
            "party": cause.party,
            "connection": cause.connection,
            "dataset": cause.dataset,
            "element": cause.element,
            "code": cause.code,
            "records": number,
            "samples": [
                {"receipt_no": s.receipt_no, "row": s.row, "place": s.place, "value": s.value}
                for s in done.samples[cause]
            ],
        }
        for cause, number in done.causes.most_common()
    ]
    if as_json:
        print_json(
            {
                "submissions": done.submissions,
                "records": done.records,
                "newly_failing": done.newly_failing,
                "newly_passing": done.newly_passing,
                "parties": {name: {"records": r, "newly_failing": f} for name, (r, f) in done.parties.items()},
                "causes": causes,
                "left_out": [{"receipt_no": no, "why": why} for no, why in done.left_out],
            }
        )
        return
    out.print(
        f"{done.submissions} 次报送、{done.records} 条：新增不合格 {done.newly_failing}，转为合格 {done.newly_passing}"
        f"  newly failing {done.newly_failing}, newly passing {done.newly_passing}",
        markup=False,
    )
    table(
        "按单位 by party",
        ["单位", "记录", "新增不合格 newly failing"],
        ([name, str(read), str(failing)] for name, (read, failing) in done.parties.items()),
    )
    known = {entry.code: entry for entry in catalogue()}
    lines = []
    for one in causes:
        sample = one["samples"][0]  # type: ignore[index]
        kind = known[str(one["code"])].kind if str(one["code"]) in known else ""
        where = f"{sample['receipt_no']} {sample['place']}"
        lines.append(
            [str(one[k]) for k in ("party", "connection", "element", "code")] + [str(kind), str(one["records"]), where]
        )
    table("原因 causes", ["单位", "接入", "数据项", "代码", "类别", "记录", "例 sample"], lines)
    for number, why in done.left_out:
        out.print(f"未能预演 left out: {number} {why}", markup=False)


@told
def versions(config: Config = Path("hub.toml"), days: Days = 31, as_json: Json = False) -> None:
    """各单位在用的数据集版本  who sends which version of a data set."""
    settings, _body = prepare(config)
    hub = build(settings)
    try:
        with hub.ledger.read() as connection:
            found = senders(connection, hub.clock.now() - timedelta(days=days))
    finally:
        hub.ledger.close()
    rows = [
        {"party": party, "dataset": name, "version": version, "records": number, "last_at": local_text(last)}
        for party, name, version, number, last in found
    ]
    if as_json:
        print_json(rows)
        return
    lines = ([r["dataset"], r["version"], r["party"], str(r["records"]), r["last_at"]] for r in rows)
    table("数据集版本 versions in use", ["数据集", "版本", "单位", "记录", "最近"], lines)

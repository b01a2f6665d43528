"""`hub adapter coverage`: which elements a system fills, how often, and what is dubious about them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from hub.cli.client import Client
from hub.cli.options import Config, Json, Key, Url
from hub.cli.output import DATA, DONE, out, print_json, table, told
from hub.coverage import need_one, of_sample
from mappings.coverage import WRONG, Standing
from standards.registry import load

_WORDS = {
    Standing.NEVER: "必填，从未填写 never",
    Standing.LACKING: "必填，系统没有 lacking",
    Standing.SELDOM: "必填，常缺 seldom",
    Standing.FAULTY: "有问题 faulty",
    Standing.SAME: "总是同一值 same",
    Standing.EMPTY: "选填，从未填写 empty",
    Standing.GOOD: "正常 good",
}


@told
def coverage(
    sample: Annotated[
        Path | None,
        typer.Argument(exists=True, dir_okay=False, readable=True, help="样例文件，与 --mapping 同用 a sample"),
    ] = None,
    mapping: Annotated[str, typer.Option(help="样例用哪个映射（名称或文件） mapping of the sample")] = "",
    connection: Annotated[
        str, typer.Option("--connection", "-c", help="接入名称，缺省全部 connection; default: all")
    ] = "",
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="只看这一天以来的报送 submissions since this day")
    ] = None,
    rows: Annotated[int, typer.Option(min=1, help="每个接入最多看多少条 records of each connection at most")] = 20_000,
    site: Annotated[
        Path | None,
        typer.Option("--site", exists=True, file_okay=False, help="站点目录，样例用 own folder, for a sample"),
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="也列出正常和未填的选填项 good and empty ones too")] = False,
    config: Config = Path("hub.toml"),
    as_json: Json = False,
    url: Url = "",
    key: Key = "",
) -> None:
    """填写情况：逐项填写率、取值数、可疑之处，最差的在前  how elements are filled, over real data or a sample."""
    need_one(sample, mapping, connection)
    if sample is not None:
        standard = load([site / "standards"] if site and (site / "standards").is_dir() else [])
        found = [of_sample(sample, mapping, standard, site, rows)]
    else:
        asked = {"connection": connection or None, "since": since.date() if since else None, "rows": rows}
        found = Client.find(config, url, key).get("/v1/coverage", **asked)
    if as_json:
        print_json(found)
    else:
        for one in found:
            _show(one, everything)
        if not found:
            out.print("没有可看的报送 nothing has come in yet")
    wrong = any(element["standing"] in WRONG for one in found for element in one["elements"])
    raise typer.Exit(DATA if wrong else DONE)


def _show(one: dict[str, Any], everything: bool) -> None:
    where = one.get("connection") or one.get("sample")
    quiet = () if everything else (Standing.GOOD, Standing.EMPTY)
    shown = [e for e in one["elements"] if e["standing"] not in quiet]
    table(
        f"{where} → {one['dataset']} {one['title']}，{one['rows']} 条 records",
        ["数据项", "名称", "来源字段", "状况", "填写率", "取值", "最常见", "问题"],
        (
            [
                e["element"],
                e["title"],
                e["fields"] or "-",
                _WORDS[Standing(e["standing"])],
                _percent(e["share"]),
                f"{e['distinct']}{'+' if e['more'] else ''}",
                f"{_short(e['commonest'])} ×{e['times']}" if e["commonest"] else "",
                "，".join(f"{code} ×{n}" for code, n in e["findings"].items()),
            ]
            for e in shown
        ),
    )
    counts = {s: sum(e["standing"] == s for e in one["elements"]) for s in Standing}
    out.print("，".join(f"{_WORDS[s]} {n}" for s, n in counts.items() if n), markup=False)
    if one["unknown_fields"]:
        out.print("未映射的字段 not mapped: " + "、".join(one["unknown_fields"]), markup=False)
    if one["broken"]:
        out.print(f"{one['broken']} 行无法读取 rows could not be read")
    for said in one.get("unread", ()):
        out.print(f"未计入 left out: {said['receipt_no']} {said['why']}", markup=False)
    if one["cut"]:
        which, which_en = ("前", "first") if "sample" in one else ("最近", "newest")
        out.print(f"只看了{which} {one['rows']} 条，可用 --rows 增加 the {which_en} only; more with --rows")


def _percent(share: float) -> str:
    """Never 100 % where one is missing, never 0 % where one is there."""
    text = f"{share * 100:.1f}%"
    if text == "100.0%" and share < 1:
        return "<100%"
    return ">0%" if text == "0.0%" and share > 0 else text


def _short(value: str) -> str:
    return value if len(value) <= 24 else value[:23] + "…"

"""`hub adapter`: which adapters there are, and a mapping drafted from a sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from adapters import registry
from hub.cli.kit_coverage import coverage
from hub.cli.kit_new import new_adapter
from hub.cli.kit_test import examine_adapter
from hub.cli.options import Json
from hub.cli.output import DONE, err, out, print_json, table, told
from hub.cli.samples import columns_of
from mappings.draft import HIGH, Draft, draft, look_at, place
from standards.checker import Checker
from standards.errors import BadConfiguration
from standards.model import FilledBy
from standards.registry import Standard, built_in

adapter_app = typer.Typer(no_args_is_help=True, help="适配器 adapters and the kit for integrators")

adapter_app.command("coverage")(coverage)
adapter_app.command("new")(new_adapter)
adapter_app.command("test")(examine_adapter)


@adapter_app.command("list")
@told
def adapters(as_json: Json = False) -> None:
    """适配器列表  adapters, built in and of other packages."""
    rows = [_row(name) for name in registry.names()]
    if as_json:
        print_json(rows)
    else:
        table(
            "适配器 adapters",
            ["名称", "", "", "类别", "方向"],
            ([*list(r.values())[:4], "、".join(r["ways"]) or r["problem"]] for r in rows),
        )


def _row(name: str) -> dict[str, Any]:
    """One line of the list; one that somebody else broke says so and does not hide the others."""
    try:
        manifest = registry.load(name)
    except BadConfiguration as error:
        return {"name": name, "title": "", "title_en": "", "kind": "", "ways": [], "problem": error.what_zh}
    ways = [
        way
        for way, there in (
            ("入 in", manifest.source_settings is not None),
            ("出 out", manifest.destination_settings is not None),
        )
        if there
    ]
    titles = {"title": manifest.title, "title_en": manifest.title_en}
    return {"name": name, **titles, "kind": manifest.kind, "ways": ways, "problem": ""}


@adapter_app.command("draft")
@told
def draft_mapping(
    sample: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="样例文件 a sample file")],
    dataset: Annotated[str, typer.Option(help="数据集；缺省时推荐最合适的 data set; absent: which ones fit")] = "",
    into: Annotated[Path | None, typer.Option(help="把映射和用例写到这个文件夹 write mapping and cases here")] = None,
    title: Annotated[str, typer.Option(help="来源系统名称 what system it comes from")] = "",
    as_json: Json = False,
) -> None:
    """由样例起草映射：字段对应、代码对照、用例，逐行标明把握程度  propose a mapping from a sample."""
    standard = built_in()
    columns = columns_of(sample)
    if not dataset:
        _recommend(standard, columns, sample, as_json)
        return
    found = standard.dataset(dataset)
    checker = Checker(found, standard, frozenset({FilledBy.SENDER}), standard.common_for(found))
    made = draft(title or sample.stem, columns, found, standard.common_for(found), standard.codes, checker)
    if into is not None:
        _write(into, dataset, made)
    if as_json:
        print_json(_as_json(made))
    else:
        _show(made)
    raise typer.Exit(DONE)


def _recommend(standard: Standard, columns: Mapping[str, Sequence[str]], file: Path, as_json: bool) -> None:
    """The data sets that fit best: how many fields are placed for certain, how many must-elements are fed."""
    sample = look_at(columns)
    ranked = []
    for dataset in standard:
        placed = place(sample, dataset, standard.codes, standard.common_for(dataset))
        sure = sum(p.confidence for p in placed if p.certain)
        must = {e.id for e in dataset.elements if e.need == "must" and e.filled_by is FilledBy.SENDER}
        fed = len(must & {p.element.id for p in placed})
        score = sure + sum(p.confidence for p in placed if not p.certain) / 3
        ranked.append((score, dataset, sum(p.certain for p in placed), fed, len(must)))
    ranked.sort(key=lambda one: -one[0])
    rows = [
        {"dataset": d.id, "title": d.title, "placed": certain, "fields": len(columns), "must": must, "fed": fed}
        for _, d, certain, fed, must in ranked[:3]
    ]
    if as_json:
        print_json(rows)
        return
    table(
        "最合适的数据集 data sets that fit best",
        ["数据集", "名称", "高把握字段", "必填项有来源"],
        ([r["dataset"], r["title"], f"{r['placed']}/{r['fields']}", f"{r['fed']}/{r['must']}"] for r in rows),
    )
    err.print(
        f"下一步 next: hub adapter draft {file} --dataset {rows[0]['dataset']} --into site/mappings/系统名",
        markup=False,
    )


def _write(into: Path, dataset: str, made: Draft) -> None:
    into.mkdir(parents=True, exist_ok=True)
    for name, text in ((f"{dataset}.yaml", made.mapping), (f"{dataset}.cases.yaml", made.cases)):
        path = into / name
        if path.exists():
            raise BadConfiguration(
                f"{path} is there already",
                what_zh=f"{path} 已存在，不覆盖",
                hint="remove it first",
                hint_zh="请先删除或移走它",
            )
        if text:
            path.write_text(text, "utf-8")
            err.print(f"已写入 written: {path}")


def _show(made: Draft) -> None:
    lines = (
        [p.field, p.element.id, p.element.title, f"{p.confidence:.2f}{' ✓' if p.certain else ''}", p.reason]
        for p in made.placements
    )
    table("字段对应 fields and elements", ["字段", "数据项", "", "把握", "依据"], lines)
    sure = sum(p.certain for p in made.placements)
    out.print(
        f"高把握 high confidence: {sure}/{len(made.placements)}（✓，≥ {HIGH}），其余请人工确认 look at the others"
    )
    for name, held in made.pairs.items():
        known = sum(1 for code, _ in held.values() if code)
        out.print(f"代码对照 code pairs {name}: {known} 个有建议 proposed, {len(held) - known} 个待定 not known")
    if made.unplaced:
        out.print("未能对应的字段 not placed: " + "、".join(made.unplaced), markup=False)
    if made.missing:
        out.print(
            "没有来源的必填项 must-elements without a field: " + "、".join(e.title for e in made.missing), markup=False
        )


def _as_json(made: Draft) -> dict[str, Any]:
    return {
        "placements": [
            {
                "field": p.field,
                "element": p.element.id,
                "title": p.element.title,
                "confidence": round(p.confidence, 3),
                "reason": p.reason,
            }
            for p in made.placements
        ],
        "unplaced": list(made.unplaced),
        "missing": [e.id for e in made.missing],
        "pairs": {name: {value: code for value, (code, _) in held.items()} for name, held in made.pairs.items()},
        "mapping": made.mapping,
        "cases": made.cases,
    }

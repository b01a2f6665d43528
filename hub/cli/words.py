"""`hub standard …` and `hub mapping …`: the words and their meaning, without a running hub."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hub.cli.options import Json
from hub.cli.output import DATA, DONE, SETUP, out, print_json, table, told
from hub.generations import mapping_folders
from hub.mapping_check import cases_of, find, program_of
from mappings.explain import explain
from standards.diff import Effect, differences
from standards.errors import BadConfiguration, UnknownName
from standards.exports import FORMATS
from standards.registry import Standard, load

standard_app = typer.Typer(no_args_is_help=True, help="数据标准 the standard")
mapping_app = typer.Typer(no_args_is_help=True, help="映射 mappings")

Site = Annotated[
    Path | None,
    typer.Option("--site", exists=True, file_okay=False, help="站点目录（mappings、standards、calendars）own folder"),
]


def _standard(site: Path | None) -> Standard:
    return load([site / "standards"] if site and (site / "standards").is_dir() else [])


@standard_app.command("list")
@told
def list_datasets(site: Site = None, as_json: Json = False) -> None:
    """数据集列表  data sets."""
    standard = _standard(site)
    found = [standard.dataset(name) for name in standard.ids()]
    if as_json:
        print_json(
            [d.model_dump(mode="json", include={"id", "title", "title_en", "version", "library"}) for d in found]
        )
        return
    table(
        "数据集 data sets",
        ["id", "名称", "版本", "数据项", "目标库", "主键"],
        ([d.id, d.title, d.version, len(d.elements), d.library or "-", " + ".join(d.natural_key)] for d in found),
    )


@standard_app.command("show")
@told
def show_dataset(
    name: Annotated[str, typer.Argument(help="数据集或码表 data set or code list")],
    version: Annotated[str | None, typer.Option(help="版本 version")] = None,
    site: Site = None,
    as_json: Json = False,
) -> None:
    """一个数据集（或码表）的定义  one data set or code list."""
    standard = _standard(site)
    if name in standard.codelists:
        codes = standard.codelist(name)
        if as_json:
            print_json(codes.model_dump(mode="json"))
        else:
            table(f"{codes.id} {codes.title}", ["代码", "名称"], ([c.code, c.name] for c in codes.codes))
        return
    dataset = standard.dataset(name, version)
    if as_json:
        print_json(dataset.model_dump(mode="json"))
        return
    out.print(f"{dataset.id} {dataset.title} 版本 {dataset.version}  目标库 {dataset.library or '-'}", markup=False)
    if dataset.profile:
        out.print(f"自定义部分：{dataset.profile}", markup=False)
    table(
        "数据项 elements",
        ["id", "名称", "类型", "长度", "约束", "码表", "填写", "依据"],
        (
            [e.id, e.title, e.type, e.max or "", e.need, e.list or "", e.filled_by, f"{e.mark} {e.source}"]
            for e in dataset.elements
        ),
    )
    if dataset.rules:
        table("规则 rules", ["id", "代码", "说明"], ([r.id, r.code, r.says] for r in dataset.rules))


@standard_app.command("export")
@told
def export(
    target: Annotated[Path, typer.Argument(help="输出目录 folder to write to")],
    datasets: Annotated[list[str] | None, typer.Option("--dataset", "-d", help="数据集，缺省全部 default: all")] = None,
    formats: Annotated[list[str] | None, typer.Option("--format", "-f", help=f"格式 {', '.join(FORMATS)}")] = None,
    site: Site = None,
) -> None:
    """导出 JSON Schema、XSD、建表语句、Excel 模板、手册  write the artefacts of data sets."""
    standard = _standard(site)
    chosen = formats or list(FORMATS)
    for form in chosen:
        if form not in FORMATS:
            raise UnknownName(f"no format {form}", what_zh=f"没有格式 {form}", hint=f"there are: {', '.join(FORMATS)}")
    target.mkdir(parents=True, exist_ok=True)
    count = 0
    for name in datasets or standard.ids():
        dataset = standard.dataset(name)
        for form in chosen:
            (target / FORMATS[form].file_name(dataset)).write_bytes(FORMATS[form].export(dataset, standard))
            count += 1
    out.print(f"已导出 {count} 个文件到 {target}", markup=False)


@standard_app.command("diff")
@told
def diff(
    name: Annotated[str, typer.Argument(help="数据集 data set")],
    old: Annotated[str, typer.Argument(help="旧版本 old version")],
    new: Annotated[str, typer.Argument(help="新版本 new version")],
    site: Site = None,
    as_json: Json = False,
) -> None:
    """两个版本的差异  what changed between two versions."""
    standard = _standard(site)
    found = differences(standard.dataset(name, old), standard.dataset(name, new))
    if as_json:
        print_json([{"zh": d.zh, "en": d.en, "effect": d.effect, "subject": d.subject} for d in found])
    else:
        for one in found:
            out.print(f"{'!' if one.effect is Effect.BREAKS else ' '} {one.zh}", markup=False)
        if not found:
            out.print("没有差异 no differences")
    raise typer.Exit(DATA if any(d.effect is Effect.BREAKS for d in found) else DONE)


def _names(names: list[str] | None, site: Path | None) -> list[str]:
    return names or mapping_folders(site).names()


@mapping_app.command("lint")
@told
def lint_mappings(
    names: Annotated[list[str] | None, typer.Argument(help="映射名或文件，缺省全部 default: all")] = None,
    site: Site = None,
    as_json: Json = False,
) -> None:
    """检查映射：每个错误的文件、行、相近名称  every mistake with file, line and near name."""
    chosen = _names(names, site)
    standard = _standard(site)
    problems = [p for name in chosen for p in find(name, standard, site).loaded.problems]
    if as_json:
        print_json([{"file": p.file, "line": p.line, "what": p.what, "hint": p.hint} for p in problems])
    else:
        for problem in problems:
            out.print(str(problem), markup=False)
        out.print(f"{len(chosen)} 个映射，{len(problems)} 处错误  {len(chosen)} mapping(s), {len(problems)} mistake(s)")
    raise typer.Exit(SETUP if problems else DONE)


@mapping_app.command("test")
@told
def run_mapping_cases(
    names: Annotated[list[str] | None, typer.Argument(help="映射名，缺省全部 default: all")] = None,
    site: Site = None,
    as_json: Json = False,
) -> None:
    """运行映射旁的用例  run the cases beside mappings."""
    standard = _standard(site)
    results = [
        (name, tried.case, tried.wrong)
        for name in _names(names, site)
        for tried in cases_of(find(name, standard, site), standard)
    ]
    wrong = [r for r in results if r[2]]
    if as_json:
        print_json([{"mapping": m, "case": c, "wrong": w} for m, c, w in results])
    else:
        for mapping, case, said in wrong:
            out.print(f"✗ {mapping} {case}", markup=False)
            for line in said:
                out.print(f"    {line}", markup=False)
        out.print(f"{len(results)} 个用例，{len(wrong)} 个不符  {len(results)} case(s), {len(wrong)} wrong")
    raise typer.Exit(DATA if wrong else DONE)


@mapping_app.command("show")
@told
def show_mapping(
    name: Annotated[str | None, typer.Argument(help="映射名 mapping")] = None,
    source: Annotated[bool, typer.Option("--source", help="生成的代码 the generated function")] = False,
    record: Annotated[list[str] | None, typer.Option("--record", help="字段=值，可多次：逐项说明 field=value")] = None,
    site: Site = None,
    as_json: Json = False,
) -> None:
    """映射列表，或一个映射的内容  mappings, or what one does."""
    if name is None:
        for one in _names(None, site):
            out.print(one, markup=False)
        return
    standard = _standard(site)
    found = find(name, standard, site)
    loaded, dataset = found.loaded, found.dataset
    if dataset is None or loaded.file is None:
        raise BadConfiguration("\n".join(map(str, loaded.problems)))
    program = program_of(found, standard)
    if source:
        out.print(program.source, markup=False)
        return
    if record:
        lines = explain(program, dict(pair.partition("=")[::2] for pair in record))
        rows = [
            [x.element, x.fields, x.raw, x.value if x.readable else "（无法识别）"] for x in lines if x.raw or x.value
        ]
        table(f"{name} → {dataset.id}", ["数据项", "来源字段", "原值", "标准值"], rows)
        return
    if as_json:
        print_json(loaded.file.model_dump(mode="json", by_alias=True, exclude_defaults=True))
        return
    out.print(f"{name} v{loaded.file.version}  {loaded.file.mapping} → {dataset.id} {dataset.title}", markup=False)
    out.print(f"文件 {loaded.path}", markup=False)
    table(
        "数据项 elements",
        ["数据项", "名称", "来源"],
        (
            [e, dataset.by_id[e].title if e in dataset.by_id else "", program.labels[e] or "（固定值）"]
            for e in program.labels
        ),
    )

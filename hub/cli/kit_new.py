"""`hub adapter new`: a package of an adapter to begin with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from adapters import registry
from adapters.kit.skeleton import Skeleton, Ways, files_of, refuse_name, refuse_title, sample_of, write
from hub.cli.output import DONE, err, out, told
from hub.cli.samples import columns_of
from standards.registry import built_in


@told
def new_adapter(
    name: Annotated[str, typer.Argument(help="适配器名称 name, such as city_permits")],
    direction: Annotated[Ways, typer.Option(help="方向：in 入，out 出，both 双向 in, out or both")] = "in",
    into: Annotated[Path, typer.Option(help="在哪个文件夹下生成 folder to write the package into")] = Path(),
    dataset: Annotated[str, typer.Option(help="映射到哪个数据集 data set of its mapping")] = "punish_action",
    sample: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, readable=True, help="真实样例，映射由它起草 draft the mapping from this"
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="系统名称 what the system is called")] = "",
) -> None:
    """生成可安装的适配器软件包，自带模拟器、映射、用例和测试  an installable package that passes its tests."""
    refuse_name(name, registry.names())
    refuse_title(title)
    standard = built_in()
    found = standard.dataset(dataset)
    columns = columns_of(sample) if sample is not None else sample_of(found, standard)
    skeleton = Skeleton(name=name, title=title or name, ways=direction, dataset=found, columns=columns)
    folder = into / skeleton.folder
    files = files_of(skeleton, standard)
    write(files, folder)
    for path in sorted(files):
        err.print(f"已写入 written: {folder / path}", markup=False)
    out.print("下一步 next:")
    out.print(f"  pip install -e {folder}", markup=False)
    out.print(f"  hub adapter test {name}", markup=False)
    raise typer.Exit(DONE)

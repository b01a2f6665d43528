"""The pages: path under `docs/` and what makes it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import typer

from adapters import registry
from adapters.formats.base import ReadOptions
from hub.cli.main import app, the_version
from hub.settings import Settings
from mappings.grammar import ElementSpec, MappingFile, Pad
from mappings.outward.grammar import AnswerSpec, OutColumn, OutFile, Wire
from standards.exports.handbook import common_page
from standards.exports.handbook import export as handbook
from standards.findings import catalogue
from standards.registry import built_in
from tools.docs import adapters, api, flows, models, systems

_MADE = "<!-- made by ./run docs; change the code, not this page -->"

_MADE_OF_CHANGES = "<!-- made by ./run docs from changes/; write a fragment there, not here -->"
CHANGES = Path(__file__).resolve().parents[2] / "changes"

Page = Callable[[], Iterator[str]]


def settings() -> Iterator[str]:
    """`hub.toml`, word by word."""
    yield "# hub.toml"
    yield ""
    yield "Every word an operator can set. Unknown words are errors; `hub check` tells all mistakes at once, with line"
    yield "and near name. A secret is never written here, only where to find it: `env:NAME` or `file:/path`."
    yield ""
    yield from _model("the whole file", Settings)


def _model(path: str, model: type) -> Iterator[str]:
    about = inspect.getdoc(model) or ""
    yield f"## `[{path}]`" if path != "the whole file" else "## The whole file"
    yield ""
    yield about
    yield ""
    yield from models.table(model)
    yield ""
    for name, inner in models.parts(model):
        yield from _model(name if path == "the whole file" else f"{path}.{name}", inner)


def mapping() -> Iterator[str]:
    """The grammar of mappings."""
    yield "# Mapping files"
    yield ""
    yield "`mappings/<system>/<file>.yaml`, with `<file>.cases.yaml` beside it. All values are read as text: a code"
    yield "`01` stays `01`. `hub mapping lint` tells every mistake with file, line and near name; `hub mapping test`"
    yield "runs the cases; `hub mapping show --source` shows the generated function."
    yield ""
    yield "## The file"
    yield ""
    yield from models.table(MappingFile)
    yield ""
    yield "## An element"
    yield ""
    yield "A field's name alone is short for `{from: name}`. Exactly one of `from`, `first`, `join`, `const`, `expr`"
    yield "says where the value comes from; the steps run in the order of this table."
    yield ""
    yield from models.table(ElementSpec)
    yield ""
    yield "### `pad`"
    yield ""
    yield from models.table(Pad)
    yield ""
    yield "## `read`: how the system's files are read"
    yield ""
    yield "A connection's `read` in hub.toml wins over the mapping's."
    yield ""
    yield from _fields_of(ReadOptions)


def outward() -> Iterator[str]:
    """The grammar of outward forms."""
    yield "# Outward forms"
    yield ""
    yield "`mappings/<system>/<name>.out.yaml`: how a record of one data set looks to one receiver, and how it"
    yield "answers. Used by `form_push`, `soap_push` and `file` (`forms`). `hub check` tells every mistake."
    yield ""
    for title, model in (("The file", OutFile), ("A column", OutColumn), ("`wire`", Wire), ("`answer`", AnswerSpec)):
        yield f"## {title}"
        yield ""
        yield inspect.getdoc(model) or ""
        yield ""
        yield from models.table(model)
        yield ""
    yield "Words that `wrap` and `envelope` may use: `{count} {dataset} {batch} {parcel} {origin} {sender}"
    yield "{receiver} {page} {pages} {total} {date} {time}`."
    yield ""


def _fields_of(model: type) -> Iterator[str]:
    """A pydantic model, or a dataclass whose fields are described by comments."""
    if hasattr(model, "model_fields"):
        yield from models.table(model)  # type: ignore[arg-type]
        for name, inner in models.parts(model):  # type: ignore[arg-type]
            yield ""
            yield f"### `{name}`"
            yield ""
            yield from models.table(inner)
        return
    yield "```python"
    yield inspect.getsource(model).rstrip()
    yield "```"


def cli() -> Iterator[str]:
    """The command `hub`."""
    yield "# The command `hub`"
    yield ""
    yield "Exit codes: 0 done, 1 something wrong in the data, 2 wrong use or setup, 3 the other side failed. `--json`"
    yield "everywhere a script would want it. Commands that ask a running hub find it through `--config` (address and"
    yield "operator key lie in its state folder), or by `--url` and `--key`."
    yield ""
    command = typer.main.get_command(app)
    yield from _command(command, "hub")


def _command(command: Any, name: str) -> Iterator[str]:
    """A command of typer, or all of a group's."""
    if hasattr(command, "list_commands"):
        context = command.make_context(name, ["--help"], resilient_parsing=True)
        for inner in command.list_commands(context):
            yield from _command(command.get_command(context, inner), f"{name} {inner}")
        return
    yield f"## `{name}`"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield "| | default | |"
    yield "|---|---|---|"
    for parameter in command.params:
        if getattr(parameter, "hidden", False):
            continue
        if parameter.param_type_name == "option":
            words = ", ".join(f"`{word}`" for word in [*parameter.opts, *parameter.secondary_opts])
        else:
            words = f"`{parameter.metavar or parameter.name}`"
        yield f"| {words} | {_default(parameter)} | {models.cell(getattr(parameter, 'help', None) or '')} |"
    yield ""


def _default(parameter: Any) -> str:
    """What is taken when it is not said: the environment first, then the default."""
    if parameter.required:
        return "**must**"
    found = [f"`${name}`" for name in [parameter.envvar] if name]
    value = parameter.default
    if value not in (None, "", False, ()) and not callable(value):
        found.append(f"`{value}`")
    return ", ".join(found)


def findings() -> Iterator[str]:
    """The finding codes."""
    yield "# 问题代码 · finding codes"
    yield ""
    yield "每条问题都写明数据项、发送方文件中的位置、原值、规则和改法；中文在前，英文在后。"
    yield "Every finding names the element, the place in the sender's file, the value, the rule and how to mend it."
    yield ""
    yield "| 代码 code | 级别 severity | 说明 text | 改法 how to mend it |"
    yield "|---|---|---|---|"
    for entry in catalogue():
        text = f"{entry.text}<br>{entry.text_en}".replace("|", "\\|")
        hint = f"{entry.hint}<br>{entry.hint_en}".replace("|", "\\|")
        yield f"| `{entry.code}` | {entry.severity} | {text} | {hint} |"


def datasets() -> Iterator[str]:
    """The index of the handbook."""
    standard = built_in()
    yield "# 数据集 · data sets"
    yield ""
    yield "[公共数据项 · common elements](datasets/common.md)"
    yield ""
    yield "| 数据集 data set | 名称 title | 版本 version | 数据库 library | 数据项 elements |"
    yield "|---|---|---|---|---|"
    for dataset in standard:
        yield (
            f"| [`{dataset.id}`](datasets/{dataset.id}.md) | {dataset.title} | {dataset.version} | {dataset.library} "
            f"| {len(dataset.elements)} |"
        )


def changes() -> Iterator[str]:
    """What is different for users, from the fragments in `changes/`."""
    yield "# 变更 · what changed"
    yield ""
    yield f"Not released yet (version {the_version()}). One fragment a change: [changes/](../changes/README.md)."
    for path in sorted(CHANGES.glob("*.md")):
        if path.name != "README.md":
            yield ""
            yield path.read_text("utf-8").strip()


def pages() -> Mapping[str, str]:
    """Every page by its path under `docs/`."""
    made: dict[str, str] = {}
    simple: dict[str, Page] = {
        "settings.md": settings,
        "mapping.md": mapping,
        "outward.md": outward,
        "cli.md": cli,
        "findings.md": findings,
        "adapters.md": adapters.index,
        "datasets.md": datasets,
        "api.md": api.page,
        "flows.md": flows.page,
    }
    for name, page in simple.items():
        made[f"reference/{name}"] = "\n".join([_MADE, "", *page()]).rstrip() + "\n"
    made["systems.md"] = "\n".join([_MADE, "", *systems.page()]).rstrip() + "\n"
    for name in registry.BUILT_IN:
        made[f"adapters/{name}.md"] = "\n".join([_MADE, "", *adapters.page(name)]).rstrip() + "\n"
    made["changes.md"] = "\n".join([_MADE_OF_CHANGES, "", *changes()]).rstrip() + "\n"
    standard = built_in()
    made["reference/datasets/common.md"] = f"{_MADE}\n\n{common_page(standard).decode('utf-8').rstrip()}\n"
    for dataset in standard:
        page_of = handbook(dataset, standard).decode("utf-8").rstrip()
        made[f"reference/datasets/{dataset.id}.md"] = f"{_MADE}\n\n{page_of}\n"
    return made

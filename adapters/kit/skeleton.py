"""`hub adapter new`: an installable package of an adapter, whole and working, to be changed step by step.

It speaks an example interface over HTTP with a simulator beside it, brings a mapping with cases and a sample, and
inherits the conformance suites; so it passes `hub adapter test` before a line of it is changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from mappings.draft import Draft, draft
from standards.checker import Checker
from standards.errors import BadConfiguration
from standards.model import DataSet, FilledBy
from standards.registry import Standard
from standards.samples import Samples

Ways = Literal["in", "out", "both"]
Columns = Mapping[str, Sequence[str]]

_TEMPLATES = Path(__file__).parent / "templates"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
#: Records in the sample of the package.
_RECORDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Skeleton:
    """What is to be made."""

    name: str
    title: str
    ways: Ways
    dataset: DataSet
    #: The sample, as columns of text by the sender's field names.
    columns: Columns

    @property
    def package(self) -> str:
        """Name of the Python package."""
        return f"hub_adapter_{self.name}"

    @property
    def folder(self) -> str:
        """Name of the folder and of the distribution."""
        return self.package.replace("_", "-")


def refuse_name(name: str, taken: Sequence[str]) -> None:
    """Raise BadConfiguration unless an adapter may be called so."""
    if not _NAME.fullmatch(name) or len(name) > 40:
        raise BadConfiguration(
            f"{name} is no name of an adapter",
            what_zh=f"适配器名称 {name} 不合规",
            hint="small letters, digits and _, beginning with a letter, such as city_permits",
            hint_zh="请用小写字母、数字和下划线，以字母开头，例如 city_permits",
        )
    if name in taken:
        raise BadConfiguration(
            f"there is an adapter {name} already",
            what_zh=f"已有名为 {name} 的适配器",
            hint="see: hub adapter list",
            hint_zh="见 hub adapter list",
        )


def refuse_title(title: str) -> None:
    """Raise BadConfiguration when a title cannot stand in the files of a package as it is."""
    if any(sign in title for sign in '"\\{}') or not title.isprintable():
        raise BadConfiguration(
            'a title is one line without " \\ { }', what_zh="系统名称须为一行文字，不含双引号、反斜杠和花括号"
        )


def sample_of(dataset: DataSet, standard: Standard) -> dict[str, list[str]]:
    """A sample where nobody has one yet: valid records under the Chinese titles of what a sender gives."""
    records = list(Samples(dataset, standard, seed=11).records(_RECORDS))
    columns = {e.title: [record.get(e.id, "") for record in records] for e in dataset.from_sender}
    return {title: values for title, values in columns.items() if any(values)}


def files_of(skeleton: Skeleton, standard: Standard) -> dict[str, str]:
    """Every file of the package: path below its folder, and text."""
    words = {
        "name": skeleton.name,
        "title": skeleton.title,
        "title_en": skeleton.name.replace("_", " "),
        "package": skeleton.package,
        "distribution": skeleton.folder,
        "short": skeleton.name.replace("_", "-"),
        "cls": "".join(part.capitalize() for part in skeleton.name.split("_")),
        "dataset": skeleton.dataset.id,
        "source": skeleton.ways in ("in", "both"),
        "destination": skeleton.ways in ("out", "both"),
    }
    templates = Environment(  # noqa: S701 - Python and Markdown, no HTML
        loader=FileSystemLoader(_TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made = {
        path: templates.get_template(f"{template}.j2").render(words).rstrip() + "\n"
        for path, template in _python_of(skeleton)
    }
    proposal = _draft(skeleton, standard)
    mapping = f"{skeleton.package}/mappings/{skeleton.name}/{skeleton.dataset.id}"
    made |= {
        f"{mapping}.yaml": proposal.mapping,
        f"{mapping}.cases.yaml": proposal.cases,
        f"{skeleton.package}/samples/records.json": _json(skeleton.columns),
    }
    return made


def _python_of(skeleton: Skeleton) -> Iterator[tuple[str, str]]:
    """Paths and the templates they come from."""
    package = skeleton.package
    yield "pyproject.toml", "pyproject.toml"
    yield "README.md", "README.md"
    yield f"{package}/__init__.py", "init.py"
    yield f"{package}/settings.py", "settings.py"
    if skeleton.ways in ("in", "both"):
        yield f"{package}/source.py", "source.py"
    if skeleton.ways in ("out", "both"):
        yield f"{package}/destination.py", "destination.py"
    yield f"{package}/simulator.py", "simulator.py"
    yield f"{package}/tests/__init__.py", "tests_init.py"
    yield f"{package}/tests/test_conformance.py", "test_conformance.py"


def _draft(skeleton: Skeleton, standard: Standard) -> Draft:
    found = skeleton.dataset
    common = standard.common_for(found)
    checker = Checker(found, standard, frozenset({FilledBy.SENDER}), common)
    return draft(skeleton.title, skeleton.columns, found, common, standard.codes, checker)


def _json(columns: Columns) -> str:
    """The first records of a sample, as the example service lists them."""
    count = min(_RECORDS, max(map(len, columns.values()), default=0))
    rows = [{name: values[n] for name, values in columns.items()} for n in range(count)]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write a package.  Raises BadConfiguration when there is something already."""
    if folder.exists():
        raise BadConfiguration(
            f"{folder} is there already",
            what_zh=f"{folder} 已存在，不覆盖",
            hint="remove it first",
            hint_zh="请先删除或移走它",
        )
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")

"""An adapter examined: its manifest and settings, the mappings and suites it brings, and a real counterpart.

Each look gives findings of its own; nothing is raised for what is wrong with the adapter, everything is told.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from adapters import registry
from adapters.base import AdapterSettings, Manifest, Surroundings
from adapters.kit.words import every_word, faults_of
from hub.config import secret
from hub.mapping_check import cases_of, linted
from mappings.load import MappingFolders, read_mapping
from standards.errors import BadConfiguration, HubError
from standards.registry import built_in

State = Literal["good", "wrong", "setup", "left"]

#: A suite that takes longer hangs.
_LONGEST = 900
#: What of a test's complaint is told.
_TOLD = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One thing that was looked at."""

    what: str
    what_en: str
    state: State
    said: str
    #: Every mistake, in words.
    wrong: tuple[str, ...] = ()


def examine(name: str, settings: Path | None = None) -> Iterator[Look]:
    """Look at everything of an installed adapter.  Raises UnknownName, BadConfiguration when it cannot be loaded."""
    manifest = registry.load(name)
    package = registry.package_of(name)
    yield _manifest(name, manifest)
    yield _settings(manifest)
    yield from _mappings(package)
    yield from _suites(manifest, package)
    if settings is not None:
        yield from counterpart(manifest, settings)


def _look(what: str, what_en: str, said: str, wrong: list[str]) -> Look:
    return Look(what=what, what_en=what_en, state="wrong" if wrong else "good", said=said, wrong=tuple(wrong))


def _manifest(name: str, manifest: Manifest) -> Look:
    ways = [
        way
        for way, there in (
            ("入 in", manifest.source_settings is not None),
            ("出 out", manifest.destination_settings is not None),
        )
        if there
    ]
    wrong = []
    if manifest.name != name:
        wrong.append(
            f"清单中的名称 {manifest.name} 与入口点 {name} 不一致 it is installed as {name}, called {manifest.name}"
        )
    if not (manifest.title.strip() and manifest.title_en.strip()):
        wrong.append("缺少中文或英文名称 it has no title, or none in English")
    if manifest.kind not in ("channel", "system"):
        wrong.append(f"类别应为 channel 或 system its kind is {manifest.kind}")
    if not ways:
        wrong.append("既不能入也不能出 it has neither source nor destination")
    if not manifest.about.strip():
        wrong.append("没有说明文字 about is empty")
    if (manifest.make_destination is None) != (manifest.destination_settings is None):
        wrong.append("出方向的设置与实现缺一 a destination needs both settings and a maker")
    if manifest.make_source is not None and manifest.source_settings is None:
        wrong.append("入方向缺少设置 a source needs settings")
    if manifest.source_settings is not None and manifest.make_source is None and not manifest.pushed:
        wrong.append("入方向没有实现，也不是对方推送 nothing makes its source, and it is not pushed")
    return _look("清单", "manifest", f"{manifest.title}（{'、'.join(ways)}）", wrong)


def _settings(manifest: Manifest) -> Look:
    models = [m for m in (manifest.source_settings, manifest.destination_settings) if m is not None]
    words = sum(1 for model in models for _ in every_word(model))
    return _look("设置", "settings", f"{words} 项均有说明 words explained", [f for m in models for f in faults_of(m)])


def _mappings(package: Path | None) -> Iterator[Look]:
    """Each mapping of the package: linted, its cases run."""
    folder = package / "mappings" if package is not None else None
    if folder is None or not folder.is_dir():
        yield Look(what="映射", what_en="mappings", state="left", said="未自带映射 brings none")
        return
    standard = built_in()
    for path in sorted(folder.glob("*/*.yaml")):
        if path.name.endswith(".cases.yaml"):
            continue
        name = f"{path.parent.name}/{path.stem}"
        found = linted(read_mapping(name, path), standard)
        tried = list(cases_of(found, standard))
        wrong = [line for one in tried for line in one.wrong]
        if name in MappingFolders().names():
            wrong.append(f"与内置映射同名，会将其遮盖 a mapping {name} is built in: this one hides it")
        yield _look(f"映射 {name}", f"mapping {name}", f"{len(tried)} 个用例 cases", wrong)


def _suites(manifest: Manifest, package: Path | None) -> Iterator[Look]:
    """The tests that travel with the package, and whether they inherit a suite for each direction."""
    if package is None:
        said = "内置适配器的一致性测试随枢纽源码运行 examined with the hub's own tests"
        yield Look(what="一致性", what_en="conformance", state="left", said=said)
        return
    folder = package / "tests"
    if not folder.is_dir():
        wrong = "软件包内没有 tests 文件夹 the package has no folder tests"
        yield Look(what="一致性", what_en="conformance", state="wrong", said="未自带测试 no tests", wrong=(wrong,))
        return
    if find_spec("pytest") is None:
        said = "环境中没有 pytest，未运行 not run: pytest is not installed"
        yield Look(what="一致性", what_en="conformance", state="setup", said=said)
        return
    with tempfile.TemporaryDirectory() as scratch:
        tests, printed = _run(folder, Path(scratch))
    if tests is None:
        wrong = printed[-_TOLD * 5 :]
        yield Look(what="一致性", what_en="conformance", state="setup", said="测试无法运行 cannot run", wrong=(wrong,))
        return
    directions = (
        ("source", "入", manifest.make_source is not None),
        ("destination", "出", manifest.make_destination is not None),
    )
    for suite, way, needed in directions:
        mine = [test for test in tests if test["suite"] == suite]
        if needed or mine:
            none = (
                [] if mine else [f"没有测试继承 no test inherits adapters.conformance.{suite.capitalize()}Conformance"]
            )
            yield _outcome(f"一致性（{way}）", f"conformance ({suite})", mine, none)
    own = [test for test in tests if not test["suite"]]
    if own:
        yield _outcome("自带测试", "its own tests", own, [])


def _outcome(what: str, what_en: str, tests: list[dict[str, Any]], wrong: list[str]) -> Look:
    passed = sum(test["outcome"] == "passed" for test in tests)
    wrong += [f"{t['test'].rpartition('::')[2]}: {t['outcome']}\n{t['why'][-_TOLD:]}" for t in tests if "why" in t]
    return _look(what, what_en, f"{passed}/{len(tests)} 通过 passed", wrong)


def _run(folder: Path, scratch: Path) -> tuple[list[dict[str, Any]] | None, str]:
    """Run the tests of a folder in a process of their own: what came of each, or None when they could not be run."""
    report = scratch / "report.json"
    words = ["-q", "--import-mode=importlib", "-p", "no:cacheprovider", "-p", "adapters.conformance.report"]
    command = [
        sys.executable,
        "-m",
        "pytest",
        *words,
        "--conformance-report",
        str(report),
        f"--rootdir={folder.parent}",
    ]
    done = subprocess.run(
        [*command, "-c", str(_no_settings(scratch)), str(folder)],
        capture_output=True,
        text=True,
        timeout=_LONGEST,
        check=False,
    )
    if done.returncode not in (0, 1, 5) or not report.is_file():
        return None, done.stdout + done.stderr
    return json.loads(report.read_text("utf-8")), done.stdout


def _no_settings(scratch: Path) -> Path:
    """A settings file of pytest without settings, so that those of the folder we stand in do not count."""
    path = scratch / "pytest.ini"
    path.write_text("[pytest]\n")
    return path


def counterpart(manifest: Manifest, path: Path) -> Iterator[Look]:
    """Really try the other side, with the settings of a file: [source] and [destination]."""
    try:
        given = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"{path}: {error}", what_zh=f"{path} 无法读取或不是 TOML：{error}") from error
    sides = {
        "source": (manifest.source_settings, manifest.make_source),
        "destination": (manifest.destination_settings, manifest.make_destination),
    }
    if not given or set(given) - set(sides):
        raise BadConfiguration(
            f"{path.name}: it has the tables [source] and [destination]",
            what_zh=f"{path.name} 应有 [source] 或 [destination] 两个表",
            hint="the words of `settings` of the connection or destination stand in them",
            hint_zh="表中填写接入或投递目标的 settings",
        )
    for side, values in given.items():
        model, make = sides[side]
        if model is None or make is None:
            raise BadConfiguration(
                f"{manifest.name} has no {side} to try", what_zh=f"适配器 {manifest.name} 没有 {side}"
            )
        yield _try(side, make, _parsed(model, values, side))


def _parsed(model: type[AdapterSettings], values: Any, side: str) -> AdapterSettings:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise BadConfiguration(f"[{side}]: {told}", what_zh=f"[{side}] 设置有误：{told}") from error


def _try(side: str, make: Any, settings: AdapterSettings) -> Look:
    around = Surroundings(
        name=side,
        hub="examination",
        level="city",
        region="140200",
        party_code="11140000N8Y3CP4F3H",
        hub_code="11140200E9QM7HGU4X",
        standard=built_in(),
        secret=secret,
    )
    what, what_en = ("对端（入）", "counterpart (in)") if side == "source" else ("对端（出）", "counterpart (out)")
    try:
        made = make(settings, around)
        try:
            return _look(what, what_en, made.check() or "ok", [])
        finally:
            made.close()
    except HubError as error:
        said = error.what_zh + (f"（{error.hint_zh}）" if error.hint_zh else "")
        return _look(what, what_en, "未通过 failed", [said])

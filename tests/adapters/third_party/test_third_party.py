"""An adapter of somebody else: its own package, built and installed, that enters through the entry point."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from adapters import registry
from hub.bootstrap import build, prepare
from hub.cli.main import app
from hub.examination import counterpart
from standards.errors import BadConfiguration
from tests.house.repository import ROOT
from tests.hub.city import until

NAME = "harbour_office"
PACKAGE = f"hub_adapter_{NAME}"
CONFIG = """
[hub]
name = "datong"
title = "大同市监管数据交换枢纽"
level = "city"
region = "140200"
code = "11140200E9QM7HGU4X"
site = "site"

[api]
port = 0

[parties.harbour]
title = "港务局"
code = "11140200A4L2GB1F45"

[connections.harbour]
party = "harbour"
adapter = "harbour_office"
mapping = "harbour_office/punish_action"
settings = {{ url = "{url}", size = 7, pause_seconds = 0.2 }}

[parties.harbour-group]
title = "港口集团"
code = "111402007GBJK20R22"

[destinations.harbour-back]
party = "harbour-group"
adapter = "harbour_office"
direction = "across"
settings = {{ url = "{url}" }}

[[routes]]
to = ["harbour-back"]
"""


@dataclass
class Installed:
    """A folder that packages were installed into."""

    folder: Path

    def hub(self, *words: str) -> tuple[int, str]:
        """The command `hub` where the package is installed: exit code and what it prints."""
        done = subprocess.run(
            [sys.executable, "-m", "hub", *words],
            cwd=self.folder.parent,
            env={**os.environ, "PYTHONPATH": f"{self.folder}:{ROOT}", "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    @property
    def package(self) -> Path:
        return self.folder / PACKAGE


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """Made by `hub adapter new`, built as a wheel and installed; from nowhere but this machine."""
    folder = tmp_path_factory.mktemp("harbour")
    made = CliRunner().invoke(
        app, ["adapter", "new", NAME, "--direction", "both", "--title", "港务局系统", "--into", str(folder)]
    )
    assert made.exit_code == 0, made.output
    target = folder / "installed"
    words = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *words, "--target", target, folder / "hub-adapter-harbour-office"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Installed(target)


@pytest.fixture
def copied(installed: Installed, tmp_path: Path) -> Installed:
    """The same, for a test that breaks it."""
    return Installed(Path(shutil.copytree(installed.folder, tmp_path / "installed")))


@pytest.fixture
def imported(installed: Installed, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The package in this process; its simulator."""
    monkeypatch.syspath_prepend(installed.folder)
    invalidate_caches()
    yield import_module(f"{PACKAGE}.simulator").Simulator
    for name in [name for name in sys.modules if name.startswith(PACKAGE)]:
        del sys.modules[name]


def test_it_is_listed_with_the_others(installed: Installed) -> None:
    code, said = installed.hub("adapter", "list", "--json")

    rows = {row["name"]: row for row in json.loads(said)}
    assert code == 0
    assert rows[NAME]["title"] == "港务局系统"
    assert rows[NAME]["ways"] == ["入 in", "出 out"]
    assert set(registry.BUILT_IN) < set(rows)


def test_it_passes_every_look_of_the_examination(installed: Installed) -> None:
    code, said = installed.hub("adapter", "test", NAME, "--json")

    looks = {look["what_en"]: (look["state"], look["said"]) for look in json.loads(said)["looks"]}
    assert code == 0, said
    assert looks["conformance (source)"] == ("good", "12/12 通过 passed")
    assert looks["conformance (destination)"] == ("good", "14/14 通过 passed")
    assert looks[f"mapping {NAME}/punish_action"][0] == "good"


def test_its_mapping_is_found_behind_the_sites_own(installed: Installed, tmp_path: Path) -> None:
    words = ("mapping", "show", f"{NAME}/punish_action", "--site", str(tmp_path))
    _, brought = installed.hub(*words)
    own = tmp_path / "mappings" / NAME / "punish_action.yaml"
    own.parent.mkdir(parents=True)
    shutil.copy(installed.package / "mappings" / NAME / "punish_action.yaml", own)
    _, ours = installed.hub(*words)

    assert f"文件 {installed.package}" in brought
    assert f"文件 {own}" in ours


def test_settings_with_it_pass_the_check_and_its_counterpart_is_really_tried(imported: Any, tmp_path: Path) -> None:
    def check() -> tuple[int, str]:
        done = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["check", "--config", str(path)])
        return done.exit_code, done.output

    path = tmp_path / "hub.toml"
    with imported().start() as simulator:
        path.write_text(CONFIG.format(url=simulator.url), "utf-8")
        there = check()
    away = check()
    path.write_text(CONFIG.format(url=simulator.url).replace("size = 7", "sise = 7"), "utf-8")
    misspelt = check()

    assert there[0] == 0, there[1]
    assert '"rows": 20' in there[1]
    assert away[0] == 3
    assert (misspelt[0], "did you mean size?" in misspelt[1]) == (2, True), misspelt[1]


def test_a_real_counterpart_is_tried_with_settings_of_ones_own(imported: Any, tmp_path: Path) -> None:
    manifest, path = registry.load(NAME), tmp_path / "given.toml"
    with imported().start() as simulator:
        path.write_text(f'[source]\nurl = "{simulator.url}"\n', "utf-8")
        there = list(counterpart(manifest, path))
    away = list(counterpart(manifest, path))
    path.write_text("[source]\nurl = 7\n", "utf-8")

    assert [(look.what_en, look.state) for look in there] == [("counterpart (in)", "good")]
    assert [look.state for look in away] == ["wrong"]
    with pytest.raises(BadConfiguration, match="url"):
        list(counterpart(manifest, path))


def test_its_records_go_the_whole_road_through_its_own_mapping(imported: Any, tmp_path: Path) -> None:
    path = tmp_path / "hub.toml"
    with imported().start() as simulator:
        path.write_text(CONFIG.format(url=simulator.url), "utf-8")
        settings, body = prepare(path)
        hub = build(settings)
        hub.generations.publish(body, "test")
        hub.start()
        try:
            until(lambda: len(simulator.held) == len(simulator.rows) == 20)
        finally:
            hub.stop()

        numbers = {row["行政处罚决定书文号"] for row in simulator.rows}
        assert {held.content["punish_document_code"] for held in simulator.held.values()} == numbers
    assert f"mappings/{NAME}/punish_action.yaml" in body.files, "a generation holds what it uses"


#: What is wrong -> file, what stands there, what stands there instead, what must be told.
WRONG = {
    "its mapping has a mistake": ("mappings/harbour_office/punish_action.yaml", "set_date:", "set_dat:", "set_date"),
    "a setting is not explained": (
        "settings.py",
        'Field(100, description="Records asked for in one call.")',
        "100",
        "size 没有说明",
    ),
    "it forgets before it has handed over": (
        "source.py",
        "        context.intake.receive(\n",
        '        context.memory.remember("after", str(page.last))\n        context.intake.receive(\n',
        "test_what_the_hub_could_not_keep_is_not_forgotten",
    ),
    "nothing examines its destination": (
        "tests/test_conformance.py",
        "class TestDestination(DestinationConformance):",
        "class Unused(DestinationConformance):",
        "没有测试继承 no test inherits adapters.conformance.DestinationConformance",
    ),
}
BROKEN = {
    "its tests cannot be read": ("tests/test_conformance.py", "import pytest\n", "import pytset\n", "pytset"),
    "it cannot be imported": ("__init__.py", "MANIFEST = Manifest(", "1 / 0\nMANIFEST = Manifest(", "ZeroDivision"),
}


def spoil(installed: Installed, file: str, old: str, new: str) -> None:
    path = installed.package / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_everything_that_is_wrong_with_it_is_told_at_once(copied: Installed) -> None:
    for file, old, new, _ in WRONG.values():
        spoil(copied, file, old, new)

    code, said = copied.hub("adapter", "test", NAME)

    assert code == 1
    assert not [what for what, (*_, word) in WRONG.items() if word not in said], said


@pytest.mark.parametrize("what", BROKEN)
def test_one_that_cannot_be_examined_is_a_matter_of_setup(what: str, copied: Installed) -> None:
    file, old, new, word = BROKEN[what]
    spoil(copied, file, old, new)

    code, said = copied.hub("adapter", "test", NAME)

    assert (code, word in said) == (2, True), said


def test_one_that_cannot_be_imported_does_not_hide_the_others(copied: Installed) -> None:
    (copied.package / "__init__.py").write_text("raise RuntimeError('no licence')\n", "utf-8")

    code, said = copied.hub("adapter", "list", "--json")

    rows = {row["name"]: row["problem"] for row in json.loads(said)}
    assert code == 0
    assert rows[NAME] == f"适配器 {NAME} 无法加载"
    assert rows["rest"] == ""


def test_a_hub_in_service_needs_no_pytest(installed: Installed) -> None:
    look = (
        "import sys, hub.cli.main, hub.serve\n"
        "from adapters import registry\n"
        "[registry.load(name) for name in registry.names()]\n"
        "sys.exit('pytest' in sys.modules)\n"
    )
    env = {**os.environ, "PYTHONPATH": f"{installed.folder}:{ROOT}"}

    assert subprocess.run([sys.executable, "-c", look], env=env, check=False).returncode == 0

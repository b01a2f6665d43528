"""`hub adapter new`: a package that is right before a line of it is changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from adapters.kit.skeleton import Skeleton, files_of, sample_of
from hub.cli.main import app
from hub.mapping_check import cases_of, linted
from mappings.load import read_mapping
from standards.registry import built_in
from tests.house.repository import ROOT

DATASETS = built_in().ids()


def new(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["adapter", "new", *words, "--into", str(folder)])
    return done.exit_code, done.output


@pytest.fixture(scope="module")
def known_types(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What mypy found out about the hub: the same for each package."""
    return tmp_path_factory.mktemp("mypy")


@pytest.mark.parametrize("direction", ["in", "out", "both"])
def test_a_new_package_passes_its_own_tests_and_a_strict_reader(
    direction: str, known_types: Path, tmp_path: Path
) -> None:
    code, said = new(tmp_path, "city_permits", "--direction", direction, "--title", "市审批平台")
    folder = tmp_path / "hub-adapter-city-permits"

    assert code == 0, said
    checks = (
        ["ruff", "format", "--isolated", "--line-length", "120", "--check"],
        ["ruff", "check", "--isolated", "--line-length", "120", "--select", "E,F,I,B,UP,C4,SIM,PT,DTZ"],
        ["mypy", "--strict", "--cache-dir", str(known_types), "-p", "hub_adapter_city_permits"],
        ["pytest", "-q", "-p", "no:cacheprovider"],
    )
    for check in checks:
        # mypy looks into the other rooms by their sources, as it would into an installed hub.
        words = [sys.executable, "-m", *check]
        done = subprocess.run(
            words,
            cwd=folder,
            env={"PYTHONPATH": str(ROOT), "MYPYPATH": f"{folder}:{ROOT}", "PATH": "/usr/bin:/bin"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{check[0]}\n{done.stdout}{done.stderr}"
    passed = {"in": 12, "out": 14, "both": 26}[direction]
    assert f"{passed} passed" in done.stdout


@pytest.mark.parametrize("name", DATASETS)
def test_the_mapping_and_the_cases_of_a_new_package_are_right_whatever_the_data_set(name: str, tmp_path: Path) -> None:
    standard = built_in()
    dataset = standard.dataset(name)
    skeleton = Skeleton(name="trial", title="试验", ways="in", dataset=dataset, columns=sample_of(dataset, standard))

    files = files_of(skeleton, standard)

    for path, text in files.items():
        if path.endswith(".yaml"):
            (tmp_path / Path(path).name).write_text(text, "utf-8")
    found = linted(read_mapping(f"trial/{name}", tmp_path / f"{name}.yaml"), standard)
    assert not found.loaded.problems, list(map(str, found.loaded.problems))
    tried = list(cases_of(found, standard))
    assert tried
    assert not [one.wrong for one in tried if one.wrong]


def test_the_mapping_is_drafted_from_a_real_sample(tmp_path: Path) -> None:
    sample = ROOT / "docs/examples/first-record/处罚导出.csv"

    code, said = new(tmp_path, "ecology_old", "--sample", str(sample))

    package = tmp_path / "hub-adapter-ecology-old" / "hub_adapter_ecology_old"
    assert code == 0, said
    assert 'from: "罚款金额(万元)"' in (package / "mappings/ecology_old/punish_action.yaml").read_text("utf-8")
    rows = json.loads((package / "samples/records.json").read_text("utf-8"))
    assert len(rows) == 4
    assert "案件编号" in rows[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["City-Permits"], "适配器名称 City-Permits 不合规"),
        (["rest_push"], "已有名为 rest_push 的适配器"),
        (["permits", "--title", 'a"b'], "系统名称须为一行文字"),
        (["permits", "--dataset", "punish_acton"], "punish_action"),
    ],
)
def test_what_cannot_be_made_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    code, output = new(tmp_path, *words)

    assert code == 2
    assert said in output
    assert not list(tmp_path.iterdir())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    assert new(tmp_path, "permits")[0] == 0
    mine = tmp_path / "hub-adapter-permits" / "README.md"
    mine.write_text("mine", "utf-8")

    code, output = new(tmp_path, "permits")

    assert code == 2
    assert "已存在，不覆盖" in output
    assert mine.read_text("utf-8") == "mine"

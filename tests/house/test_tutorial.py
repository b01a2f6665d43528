"""docs/integrators.md from its first command to its last, against a hub that really runs."""

import csv
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from tests.house.repository import ROOT
from tests.house.tutorial import Step, missing, steps

PAGE = ROOT / "docs" / "integrators.md"
#: Exit codes that the page speaks of: done, and something wrong in the data.
FINE = (0, 1)


@contextmanager
def serving(words: tuple[str, ...], folder: Path) -> Iterator[None]:
    """`hub serve` as in a terminal of its own, from when it answers."""
    process = subprocess.Popen([sys.executable, "-m", "hub", *words], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert any("枢纽已启动" in line for line in process.stdout), "it ended without a word"
        yield
    finally:
        process.terminate()
        process.wait(30)


def typed(words: tuple[str, ...], folder: Path, stack: ExitStack) -> str:
    """What a command prints; `hub` runs in this process, so that twenty of them take no longer than one."""
    program, *rest = words
    if program != ".venv/bin/hub":
        return subprocess.run(words, cwd=folder, capture_output=True, text=True, check=True).stdout
    if rest[0] == "serve":
        stack.enter_context(serving(tuple(rest), folder))
        return ""
    done = CliRunner(env={"COLUMNS": "200", "HUB_URL": "", "HUB_KEY": ""}).invoke(app, rest)
    assert done.exit_code in FINE, f"hub {' '.join(rest)}\n{done.output}"
    return done.output


def test_every_command_of_the_tutorial_does_what_the_page_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docs").symlink_to(ROOT / "docs")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("HUB_") and "__" in name]:
        monkeypatch.delenv(name)
    with ExitStack() as stack:
        for step in steps(PAGE):
            output = "".join(typed(words, tmp_path, stack) for words in step.commands)
            assert not missing(step.shown, output), output

    went_up = sorted((tmp_path / "state" / "first-record" / "out").iterdir())
    records = [list(csv.DictReader(path.open(encoding="utf-8-sig"))) for path in went_up]
    by_department = {"同环罚": [2, 1, 1], "同城管罚": [23]}
    for head, sizes in by_department.items():
        mine = [len(one) for one in records if one[0]["punish_action_code"].startswith(head)]
        assert mine == sizes, "the answered and the mended record went up too, the others once"


def test_the_mapping_of_the_page_is_an_excerpt_of_the_file() -> None:
    [excerpt] = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text("utf-8"), re.M | re.S)
    mapping = ROOT / "docs/examples/first-record/site/mappings/ecology/punish_action.yaml"
    lines = {line.strip() for line in mapping.read_text("utf-8").splitlines()}

    for line in excerpt.splitlines():
        assert re.sub(r"\s+# .*", "", line).strip() in lines, line


def test_the_commands_of_the_readme_that_make_the_first_record_are_those_of_the_tutorial() -> None:
    tutorial = {words for step in steps(PAGE) for words in step.commands}

    for name in ("README.md", "README.zh-CN.md"):
        typed_there = {words for step in steps(ROOT / name) for words in step.commands if words[0] != "./run"}
        assert typed_there, name
        assert typed_there <= tutorial, (name, typed_there - tutorial)


def test_a_line_that_is_not_printed_is_noticed() -> None:
    step = Step((), ("读取 4 条：通过 2…", "全部通过"))

    assert missing(step.shown, "读取 4 条：通过 2，退回 2") == ["全部通过"]

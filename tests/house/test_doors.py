"""The doors: `./run`, its set-up scripts, `.ci/run`, and what the README tells people to type."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from tests.house.repository import ROOT, files, name_of

RUN = ROOT / "run"
VERBS = ("demo", "test", "check", "docs", "bench", "chaos", "setup")
READMES = sorted(ROOT.glob("README*.md"))
SCRIPTS = [path for path in files() if path.read_bytes()[:32].startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))]
SCRIPTS += files("*.sh")
#: What a README may show beside our own doors.
OTHER_PROGRAMS = {"cd", "cp", "curl", "docker", "git", "mkdir"}


def answer(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RUN), *words], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("script", SCRIPTS, ids=name_of)
def test_every_script_can_be_read_by_its_shell(script: Path) -> None:
    read = subprocess.run(["bash", "-n", str(script)], capture_output=True, text=True, check=False)

    assert read.returncode == 0, read.stderr


@pytest.mark.parametrize("words", [[], ["help"], ["--help"]], ids=repr)
def test_the_help_names_every_verb_in_chinese_and_english(words: list[str]) -> None:
    shown = answer(*words)

    assert shown.returncode == 0
    for verb in VERBS:
        assert re.search(rf"^  {verb}\b.*[\u4e00-\u9fff].*\n +[a-z]", shown.stdout, re.M | re.I), verb


def test_every_verb_of_the_script_is_in_its_help_and_the_other_way_round() -> None:
    handled = set(re.findall(r"^    ([a-z]+)\) ", RUN.read_text(), re.M))

    assert handled == set(VERBS)


def test_a_verb_that_does_not_exist_is_wrong_use() -> None:
    refused = answer("tets")

    assert refused.returncode == 2
    assert "tets" in refused.stderr


def test_ci_calls_what_the_readme_calls() -> None:
    assert re.search(r"/run\" test$", (ROOT / ".ci" / "run").read_text(), re.M)


def commands(readme: Path) -> list[str]:
    """The lines of its shell blocks, without prompts and comments, continued lines joined."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", readme.read_text(), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    stripped = [line.strip().removeprefix("$ ") for line in lines]
    return [line for line in stripped if line and not line.startswith("#")]


READMES_COMMANDS = sorted({command for readme in READMES for command in commands(readme)}) or ["./run test"]


@pytest.mark.parametrize("command", READMES_COMMANDS)
def test_every_command_of_the_readme_exists(command: str) -> None:
    program, *words = shlex.split(command, comments=True)

    match program.removeprefix(".venv/bin/"):
        case "./run":
            assert words[0] in VERBS
        case "hub":
            verb = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)][:2]
            shown = CliRunner().invoke(app, [*verb, "--help"])
            assert shown.exit_code == 0, shown.output
        case other:
            assert other in OTHER_PROGRAMS, f"{other} is neither ./run nor hub"

"""The doors: `./run`, its set-up scripts, `.ci/run`, and what the README tells people to type."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
import typer

from hub.cli.main import app
from tests.house.repository import ROOT, files, name_of

RUN = ROOT / "run"
VERBS = ("demo", "test", "check", "docs", "bench", "chaos", "setup")
#: Pages that show commands: the readmes and the guides.
PAGES = sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])
SCRIPTS = [path for path in files() if path.read_bytes()[:32].startswith((b"#!/usr/bin/env bash", b"#!/bin/sh"))]
SCRIPTS += files("*.sh")
#: What a page may show beside our own doors.
OTHER_PROGRAMS = {"/opt/hub/bin/python", "cp", "curl", "docker", "mkdir", "python", "python3", "sudo"}


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


def commands(page: Path) -> list[str]:
    """The lines of its shell blocks, without prompts and comments, continued lines joined."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", page.read_text(), re.M | re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    stripped = [line.strip().removeprefix("$ ") for line in lines]
    return [line for line in stripped if line and not line.startswith("#")]


def unknown_of_hub(words: list[str]) -> list[str]:
    """The words of a call of `hub` that it does not know: verbs and options (values are not looked at)."""
    command = typer.main.get_command(app)
    unknown: list[str] = []
    for word in words:
        if word.startswith("-"):
            known = {name for parameter in command.params for name in parameter.opts}
            unknown += [word] if word not in known else []
        elif isinstance(command, typer.core.TyperGroup):
            found = command.commands.get(word)
            if found is None:
                return [*unknown, word]
            command = found
    return unknown


@pytest.mark.parametrize("command", sorted({command for page in PAGES for command in commands(page)}))
def test_every_command_of_readmes_and_guides_exists_with_its_options(command: str) -> None:
    program, *words = shlex.split(command, comments=True)

    match program.removeprefix(".venv/bin/"):
        case "./run":
            assert words[0] in VERBS
        case "hub":
            assert unknown_of_hub(words) == []
        case other:
            assert other in OTHER_PROGRAMS, f"{other} is neither ./run nor hub"


@pytest.mark.parametrize("call", ["submitt x.csv", "submit x.csv --conection y", "key make"])
def test_a_command_that_does_not_exist_is_noticed(call: str) -> None:
    assert unknown_of_hub(call.split())

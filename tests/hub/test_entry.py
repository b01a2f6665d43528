"""The quick way into `hub`: the same commands as the whole."""

from __future__ import annotations

import subprocess
import sys

import typer
from typer.core import TyperGroup
from typer.main import get_command

from hub.cli import entry
from hub.cli.main import app


def _told(found: typer.Typer, verb: str) -> str:
    group = get_command(found)
    assert isinstance(group, TyperGroup)
    context = typer.Context(group, info_name="hub")
    command = group.get_command(context, verb)
    assert command is not None
    return str(command.get_help(typer.Context(command, info_name=verb, parent=context)))


def test_a_verb_alone_is_the_verb_of_the_whole() -> None:
    for verb in entry._ALONE:
        assert _told(entry.alone(verb), verb) == _told(app, verb), verb


def test_a_verb_that_asks_a_hub_does_not_load_the_hub() -> None:
    modules = sorted({module for module, _ in entry._ALONE.values()})
    program = f"import sys, {', '.join('hub.cli.' + m for m in modules)}\nprint('hub.bootstrap' in sys.modules)"

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert answer.stdout.strip() == "False"

"""A page of commands as a test can run it: its blocks in their order, what to type and what is shown under it."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

_BLOCK = re.compile(r"^```(sh|text)\n(.*?)^```", re.M | re.S)
#: Stands for the rest of a line in what is shown.
REST = "…"


@dataclass(frozen=True)
class Step:
    """Commands, and the lines that their output holds together."""

    commands: tuple[tuple[str, ...], ...]
    shown: tuple[str, ...]


def steps(page: Path) -> list[Step]:
    """The `sh` blocks of a page, each with the `text` block that follows it."""
    found: list[Step] = []
    for kind, text in _BLOCK.findall(page.read_text("utf-8")):
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if kind == "sh":
            found.append(Step(tuple(tuple(shlex.split(line, comments=True)) for line in lines), ()))
        elif found:
            found[-1] = Step(found[-1].commands, (*found[-1].shown, *lines))
    return found


def missing(shown: tuple[str, ...], output: str) -> list[str]:
    """Lines that a page shows and the output does not hold."""
    return [line for line in shown if line.removesuffix(REST).strip() not in output]

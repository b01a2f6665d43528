"""What commands print: tables for people, JSON for scripts, errors in Chinese and English; and the exit codes."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from typing import Any, NoReturn, ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.table import Table

from standards.errors import BadRecord, BadSetup, HubError, Temporary

P = ParamSpec("P")
R = TypeVar("R")

DONE, DATA, SETUP, OTHER_SIDE = 0, 1, 2, 3

#: Columns of a table that goes into a file or a pipe: eighty would fold its words.
_WIDE = 160

out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: object) -> None:
    """For scripts; at once, for a command that goes on running."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")
    sys.stdout.flush()


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """For people."""
    drawn = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(str(cell) for cell in row))
    out.print(drawn)


def exit_code(error: HubError) -> int:
    """1 something is wrong in the data, 2 wrong use or setup, 3 the other side failed."""
    if isinstance(error, BadRecord):
        return DATA
    if isinstance(error, Temporary):
        return OTHER_SIDE
    return SETUP if isinstance(error, BadSetup) else OTHER_SIDE


def fail(error: HubError) -> NoReturn:
    """Tell what is wrong and end."""
    head_zh, _, rest_zh = error.what_zh.partition("\n")
    head, _, rest = error.what.partition("\n")
    err.print(f"[bold red]错误[/] {_plain(head_zh)}")
    if rest_zh != rest:
        err.print(_plain(rest_zh))
    if error.what != error.what_zh:
        err.print(f"[dim]error[/] {_plain(head)}")
    if rest:
        # Line by line; what both languages say in the same words is said once.
        err.print(_plain(rest))
    if error.hint_zh:
        err.print(f"[bold]办法[/] {_plain(error.hint_zh)}")
    if error.hint and error.hint != error.hint_zh:
        err.print(f"[dim]hint[/] {_plain(error.hint)}")
    raise typer.Exit(exit_code(error))


def _plain(text: str) -> str:
    return text.replace("[", r"\[")


def told(function: Callable[P, R]) -> Callable[P, R]:
    """A command whose errors are told in words."""

    @wraps(function)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except HubError as error:
            fail(error)

    return wrapped


def counts_words(counts: Mapping[str, Any]) -> str:
    """The counts of a receipt in one line."""
    return (
        f"读取 {counts['read']} 条：通过 {counts['accepted']}，退回 {counts['rejected']}，"
        f"挂起 {counts['held']}，重复 {counts['duplicate']}"
    )

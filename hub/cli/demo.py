"""`hub demo`: the demo city."""

from __future__ import annotations

import typer


def demo(check: bool = typer.Option(False, "--check", help="走完全程后结束 end after one full round")) -> None:
    """演示城市  the demo city."""
    raise typer.Exit(2 if check else 2)

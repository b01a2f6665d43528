"""Where `hub` begins: what only asks a hub that runs is loaded alone; the whole takes ten times as long to load."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

#: Verbs that need nothing but a client: their module, and what stands there.
_ALONE = {
    "submit": ("data", "submit"),
    "receipt": ("data", "receipt"),
    "judge": ("data", "judge"),
    "trace": ("data", "trace"),
    "failures": ("data", "failures"),
    "status": ("data", "status"),
    "notices": ("cases", "notices"),
    "looks": ("sharing", "looks"),
    "subject": ("sharing", "subject"),
    "record": ("sharing", "record"),
    "key": ("operating", "keys"),
    "user": ("users", "users"),
    "tasks": ("tasks", "tasks"),
    "cases": ("cases", "cases"),
    "alarms": ("alarms", "alarms"),
    "replay": ("replaying", "replay"),
    "repair": ("repairing", "repair"),
    "grant": ("sharing", "grant"),
    "destination": ("operating", "destination"),
    "crosswalk": ("operating", "crosswalk"),
}


def main() -> None:
    """Run the command."""
    verb = sys.argv[1] if len(sys.argv) > 1 else ""
    if verb in _ALONE:
        alone(verb)()
    else:
        import_module("hub.cli.main").app()


def alone(verb: str) -> typer.Typer:
    """The command with this one verb."""
    module, name = _ALONE[verb]
    found = getattr(import_module(f"hub.cli.{module}"), name)
    app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, pretty_exceptions_enable=False)
    app.callback()(_nothing)
    if isinstance(found, typer.Typer):
        app.add_typer(found, name=verb)
    else:
        app.command(verb)(found)
    return app


def _nothing() -> None:
    """监管数据交换枢纽  Supervision Exchange Hub."""

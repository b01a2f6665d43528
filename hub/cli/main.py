"""The command `hub` as a whole: every verb and where it is done.  One verb alone starts faster by `hub.cli.entry`."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from hub.cli import (
    alarms,
    audit,
    cases,
    connections,
    data,
    demo,
    kit,
    operating,
    parties,
    reconciling,
    rehearsing,
    repairing,
    replaying,
    reporting,
    running,
    sharing,
    systems,
    tasks,
    users,
    words,
)
from hub.cli.output import out

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="监管数据交换枢纽  Supervision Exchange Hub",
)
app.command("demo")(demo.demo)
app.command("serve")(running.serve)
app.command("check")(running.check)
app.command("restored")(running.restored)
app.command("submit")(data.submit)
app.command("receipt")(data.receipt)
app.command("judge")(data.judge)
app.command("trace")(data.trace)
app.command("failures")(data.failures)
app.command("status")(data.status)
app.command("notices")(cases.notices)
app.command("looks")(sharing.looks)
app.command("subject")(sharing.subject)
app.command("record")(sharing.record)
app.command("reconcile")(reconciling.reconcile)
app.add_typer(parties.parties, name="party")
app.add_typer(connections.connection, name="connection")
app.add_typer(operating.keys, name="key")
app.add_typer(users.users, name="user")
app.add_typer(tasks.tasks, name="tasks")
app.add_typer(cases.cases, name="cases")
app.add_typer(alarms.alarms, name="alarms")
app.add_typer(audit.audit, name="audit")
app.add_typer(replaying.replay, name="replay")
app.add_typer(repairing.repair, name="repair")
app.add_typer(reporting.report, name="report")
app.add_typer(sharing.grant, name="grant")
app.add_typer(operating.destination, name="destination")
app.add_typer(operating.crosswalk, name="crosswalk")
words.standard_app.command("rehearse")(rehearsing.rehearse)
words.standard_app.command("senders")(rehearsing.versions)
app.add_typer(words.standard_app, name="standard")
app.add_typer(words.mapping_app, name="mapping")
systems.add_to(kit.adapter_app)
app.add_typer(kit.adapter_app, name="adapter")


def the_version() -> str:
    """The version of this program."""
    try:
        return version("supervision-exchange-hub")
    except PackageNotFoundError:
        return "0.1.0"


def _show_version(wanted: bool) -> None:
    if wanted:
        out.print(the_version())
        raise typer.Exit


@app.callback()
def _main(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="版本 version")
    ] = False,
) -> None:
    """监管数据交换枢纽  Supervision Exchange Hub."""


def main() -> None:
    """Run the command."""
    app()

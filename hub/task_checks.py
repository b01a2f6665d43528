"""What can be wrong with the settings of tasks: unknown parties and flows, and two ways where one must be told."""

from __future__ import annotations

from hub.complaints import Complaints
from standards.flows import flows


def check_tasks(check: Complaints) -> None:
    """Complain about duties, flows and destinations of tasks."""
    settings = check.settings
    for number, duty in enumerate(settings.duties):
        check.one_of(("duties", number, "party"), "party", duty.party, settings.parties)
        for name in duty.flows:
            check.one_of(("duties", number, "flows"), "flow", name, flows())
    for name, connection in settings.connections.items():
        for flow in connection.tasks if isinstance(connection.tasks, tuple) else ():
            check.one_of(("connections", name, "tasks"), "flow", flow, flows())
    ways: dict[str, str] = {}
    for name, destination in settings.destinations.items():
        if destination.tasks and destination.party in ways:
            check.complain(
                ("destinations", name, "tasks"),
                f"the tasks of {destination.party} go to {ways[destination.party]} already",
                "one destination of a party has tasks = true",
            )
        elif destination.tasks:
            ways[destination.party] = name

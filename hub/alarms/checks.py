"""What can be wrong with the settings of alarms and canaries: unknown rules, contacts that cannot be reached."""

from __future__ import annotations

from hub.alarms.rules import RULES
from hub.alarms.settings import Contact
from hub.canary.ways import reach_of
from hub.complaints import Complaints
from standards.errors import HubError

_NEEDS = {"mail": ("to",), "webhook": ("url", "secret"), "wecom": ("key",), "dingtalk": ("key",)}
_IDLE = {
    "mail": ("url", "key", "secret", "ca_file"),
    "webhook": ("to", "key"),
    "wecom": ("to", "secret"),
    "dingtalk": ("to",),
}


def check_alarms(check: Complaints) -> None:
    """Complain about rules that do not exist, contacts without a way, and canaries that would be data."""
    said = check.settings.alarms
    for place, names in (("off", said.off), ("grave", said.grave)):
        for name in names:
            check.one_of(("alarms", place), "rule", name, RULES)
    for name, contact in said.contacts.items():
        _contact(check, name, contact)
    first = [c for c in said.contacts.values() if not c.after]
    if said.contacts and not first:
        check.complain(("alarms", "contacts"), "every contact has `after`: nobody is told at once")
    if said.quiet and said.quiet[:5] == said.quiet[6:]:
        check.complain(("alarms", "quiet"), f"quiet hours {said.quiet} begin and end at the same time")
    canary = check.settings.canary
    if canary.every and canary.late <= canary.every:
        check.complain(("canary", "late"), "canary.late is not longer than canary.every: each one would be late")
    for name, destination in check.settings.destinations.items():
        try:
            harmless = reach_of(destination.model_copy(update={"canary": "auto"}))
        except HubError:
            continue
        if destination.canary == "through" and harmless != "through":
            check.complain(
                ("destinations", name, "canary"),
                f"the adapter {destination.adapter} has no mark for test records: {name} would take them for data",
                'say canary = "connection"',
            )


def _contact(check: Complaints, name: str, contact: Contact) -> None:
    path = ("alarms", "contacts", name)
    for rule in contact.rules:
        check.one_of((*path, "rules"), "rule", rule, RULES)
    for word in _NEEDS[contact.way]:
        if not getattr(contact, word):
            check.complain(path, f"the contact {name} goes by {contact.way} and says no '{word}'")
    for word in _IDLE[contact.way]:
        if getattr(contact, word):
            check.complain((*path, word), f"'{word}' means nothing to a contact that goes by {contact.way}")
    if contact.way == "mail" and check.settings.alarms.mail is None:
        check.complain(path, f"the contact {name} goes by mail, and there is no [alarms.mail]")

"""Whether what is to be looked up can be: bases, elements and fields that the rules name."""

from __future__ import annotations

from hub.complaints import Complaints
from hub.generations import Generation
from hub.settings import LookupRule
from standards.errors import HubError
from standards.expressions import parse
from standards.model import FilledBy


def check_lookups(told: Complaints, generation: Generation) -> None:
    """Every mistake of `[[checks_by_lookup]]`."""
    settings = told.settings
    for name, lookup in settings.lookups.items():
        told.one_of(("lookups", name, "party"), "party", lookup.party, settings.parties)
    for number, rule in enumerate(settings.checks_by_lookup):
        path = ("checks_by_lookup", number)
        told.one_of((*path, "lookup"), "lookup", rule.lookup, settings.lookups)
        for name in rule.datasets:
            if told.one_of((*path, "datasets"), "data set", name, generation.standard.ids()):
                _elements(told, generation, rule, number, name)


def _elements(told: Complaints, generation: Generation, rule: LookupRule, number: int, name: str) -> None:
    path = ("checks_by_lookup", number)
    dataset = generation.standard.dataset(name)
    own = dataset.by_id
    for word, elements in (("key", rule.key), ("compare", tuple(rule.compare)), ("fill", tuple(rule.fill))):
        for element in elements:
            told.one_of((*path, word), f"element in {name}", element, own)
    for element in rule.fill:
        if element in dataset.natural_key or element == dataset.subject.code:
            told.complain((*path, "fill"), f"{name}.{element} says which record it is: it is never filled in")
        elif element in own and own[element].filled_by is FilledBy.RECEIVER:
            told.complain((*path, "fill"), f"{name}.{element} is for the receiver to fill")
    if rule.when:
        try:
            parse(rule.when, [e.id for e in generation.standard.elements(dataset)])
        except HubError as error:
            told.complain((*path, "when"), f"{name}: {error.what}", error.hint or "")

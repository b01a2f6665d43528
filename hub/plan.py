"""One connection, ready to translate: data set, mapping, checker, severities, references, routes.

Built from a generation; not shared between threads, because the compiled parts remember values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from adapters.formats.base import ReadOptions
from hub.answers import AnswerRule
from hub.authority import Authority
from hub.circles import WAY, comes_back, one_way, takes_in
from hub.openings import TaskRule
from hub.settings import Connection, Destination, Party, Route, Settings
from hub.translate.consult import LookupRule
from hub.vault import NO_SEAL, Seal
from hub.zones import Zone
from mappings.compile import Program
from standards.checker import Checker
from standards.expressions import parse
from standards.model import DataSet, Element, FilledBy, Severity


@dataclass(frozen=True, slots=True)
class ReferenceCheck:
    """An element whose value must name a known record."""

    element: Element
    dataset: str
    #: Elements here whose values make the natural key there, in its order.
    parts: tuple[str, ...]
    #: True when the element is a list, each item of which names a record.
    many: bool
    unless: frozenset[str]
    code: str
    severity: Severity


@dataclass(slots=True)
class RouteTo:
    """A destination and the condition under which a record goes there."""

    destination: str
    direction: str
    parcel: int
    names: tuple[str, ...] = ()
    condition: Callable[..., object] | None = None
    #: What may leave, where the destination stands in the internet zone.
    zone: Zone | None = None
    #: What the receiver gets of attachments: forward, reference or no.
    attachments: str = "reference"

    #: Further rows that go there, by what they are to a task.
    also: frozenset[int] = frozenset()
    #: True when nothing else goes there.
    only_tasks: bool = False
    #: Only records that say of themselves that they go this way ('' all): reports about the exchange.
    way: str = ""

    def rows(self, columns: Mapping[str, list[str]], rows: Sequence[int]) -> list[int]:
        """Which of these rows go there."""
        if self.only_tasks:
            return [i for i in rows if i in self.also]
        if self.way:
            said = columns.get(WAY, [])
            rows = [i for i in rows if i in self.also or said[i : i + 1] == [self.way]]
        if self.condition is None:
            return list(rows)
        held = [columns.get(name) for name in self.names]
        return [i for i in rows if i in self.also or self._holds([c[i] if c else "" for c in held])]

    def _holds(self, values: list[str]) -> bool:
        assert self.condition is not None
        try:
            return bool(self.condition(*values))
        except (TypeError, ValueError):
            return False


@dataclass(slots=True)
class Plan:
    """What translating one connection's hand-overs needs."""

    connection: str
    settings: Connection
    party: str
    party_settings: Party
    dataset: DataSet
    mapping: str
    program: Program
    checker: Checker
    read: ReadOptions
    #: How serious a finding is, by its code and its rule ('' when it comes from none).
    severity: Callable[[str, str], Severity]
    references: tuple[ReferenceCheck, ...]
    routes: tuple[RouteTo, ...]
    foreign: str
    #: Whose word counts in this data set; None: everybody's.
    authority: Authority | None = None
    #: Owner -> the provincial system its data go up through; '' stands for every owner.
    elsewhere: Mapping[str, str] = field(default_factory=dict)
    #: Tasks that its accepted records open.
    tasks: tuple[TaskRule, ...] = ()
    #: Tasks that its records answer.
    answers: tuple[AnswerRule, ...] = ()
    #: Party -> the destination that its tasks, and the answers to what it sent, go to.
    task_ways: Mapping[str, str] = field(default_factory=dict)
    #: Every destination by its name, for what is routed by a task or a subscription.
    to_tasks: Mapping[str, RouteTo] = field(default_factory=dict)
    #: True when subscriptions may want its records; and the credit code of each party.
    shares: bool = False
    codes: Mapping[str, str] = field(default_factory=dict)
    #: Bases that each record is looked up in.
    lookups: tuple[LookupRule, ...] = ()
    #: Keyed blind index of a personal number; None where no key is set.
    blind: Callable[[str], bytes] | None = None
    #: Closes content before it is stored.
    seal: Seal = NO_SEAL
    #: Elements of the data set itself, sorted by name: the order of canonical JSON.
    own: tuple[str, ...] = field(init=False)
    personal: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self.own = tuple(sorted(e.id for e in self.dataset.elements if e.filled_by is not FilledBy.RECEIVER))
        self.personal = self.dataset.personal

    @property
    def owner(self) -> str:
        """Credit code of the organisation the data belongs to, where a record does not say otherwise."""
        return self.settings.owner or self.party_settings.code


_SEVERITIES = {"warn": Severity.WARNING, "hold": Severity.HOLD, "reject": Severity.ERROR}


def lookups_of(settings: Settings, dataset: DataSet, common: Sequence[Element]) -> tuple[LookupRule, ...]:
    """The bases that records of a data set are looked up in."""
    known = [e.id for e in (*common, *dataset.elements)]
    found = []
    for rule in settings.checks_by_lookup:
        if dataset.id not in rule.datasets:
            continue
        expression = parse(rule.when, known) if rule.when else None
        found.append(
            LookupRule(
                rule.lookup,
                settings.lookups[rule.lookup].title,
                rule.key,
                _SEVERITIES[rule.unmatched],
                _SEVERITIES[rule.different],
                tuple(rule.compare.items()),
                tuple(rule.fill.items()),
                expression.names if expression else (),
                expression.function() if expression else None,
            )
        )
    return tuple(found)


def references_of(
    dataset: DataSet, policy: Callable[[str, str], str], find: Callable[[str], DataSet]
) -> tuple[ReferenceCheck, ...]:
    """The references that are checked: `policy(data set, element)` says off, warn, hold or reject.

    A reference that does not give the whole natural key of the other data set cannot be looked up and is left out.
    """
    found = []
    for element in dataset.elements:
        if element.refers is None:
            continue
        word = policy(dataset.id, element.id)
        own_names = {element.refers.element: element.id, **element.refers.along}
        key = find(element.refers.dataset).natural_key
        if word in _SEVERITIES and all(name in own_names for name in key):
            found.append(
                ReferenceCheck(
                    element,
                    element.refers.dataset,
                    tuple(own_names[name] for name in key),
                    element.of is not None,
                    frozenset(element.refers.unless),
                    element.refers.code,
                    _SEVERITIES[word],
                )
            )
    return tuple(found)


def with_tasks(
    routes: Sequence[RouteTo], ways: Mapping[str, Sequence[int]], known: Mapping[str, RouteTo]
) -> tuple[RouteTo, ...]:
    """Routes with the rows that go to further destinations by what they are to a task."""
    if not ways:
        return tuple(routes)
    named = {one.destination for one in routes}
    found = [replace(r, also=frozenset(ways[r.destination])) if r.destination in ways else r for r in routes]
    found += [
        replace(known[name], also=frozenset(rows), only_tasks=True)
        for name, rows in ways.items()
        if name not in named and name in known
    ]
    return tuple(found)


def routes_of(
    routes: Sequence[Route],
    *,
    connection: str,
    party: str,
    dataset: DataSet,
    common: Sequence[Element],
    destinations: Mapping[str, Destination],
    parties: Mapping[str, Party],
    zone: Callable[[str], Zone | None] = lambda _destination: None,
) -> tuple[RouteTo, ...]:
    """The destinations of a connection's records; each at most once, the first route that names it counts.

    Never the one they came from.
    """
    known = [e.id for e in (*common, *dataset.elements)]
    result: dict[str, RouteTo] = {}
    for route in routes:
        if not takes_in(route, dataset):
            continue
        if route.parties and party not in route.parties:
            continue
        if route.connections and connection not in route.connections:
            continue
        expression = parse(route.when, known) if route.when else None
        for name in route.to:
            to = destinations[name]
            if name not in result and not comes_back(party, to.party, parties):
                result[name] = RouteTo(
                    name,
                    str(to.direction),
                    to.parcel,
                    expression.names if expression else (),
                    expression.function() if expression else None,
                    zone(name),
                    route.attachments,
                    way=one_way(dataset, to.direction),
                )
    return tuple(result.values())

"""Everything that can be wrong with settings, found before they are used: every mistake, with line and near name."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ValidationError

from adapters import registry
from adapters.formats.base import ReadOptions
from adapters.outward import Formed
from hub.alarms.checks import check_alarms
from hub.circle_checks import check_circles
from hub.complaints import Complaints
from hub.generations import Body, Generation, assemble, functions_of
from hub.lookup_checks import check_lookups
from hub.neighbours import ADAPTER as NEIGHBOUR
from hub.parties import ADAPTER as QUEUE
from hub.parties import queues_twice
from hub.settings import LEVELS, Settings
from hub.task_checks import check_tasks
from hub.vault import NO_SEAL
from hub.zone_checks import check_zones
from mappings.lint import lint
from mappings.outward import lint_form, load_form
from standards.errors import HubError, UnknownName
from standards.expressions import parse
from standards.findings import catalogue
from standards.model import DataSet, Direction
from standards.yaml_text import Problem, words_at

Side = Literal["source", "destination", "lookup"]


def check(settings: Settings, body: Body, site: Path, text: str, name: str) -> list[Problem]:
    """Mistakes of settings that are well-formed; `text` is the file they came from, for the lines."""
    try:
        generation = assemble(0, body, site, NO_SEAL)
    except HubError as error:
        return [Problem(name, 1, error.what, error.hint or "")]
    run = _Check(settings, text, name, generation)
    run.generation(generation)
    return run.problems


class _Check(Complaints):
    def __init__(self, settings: Settings, text: str, name: str, known: Generation) -> None:
        super().__init__(settings, text, name)
        self.known = known

    def generation(self, generation: Generation) -> None:
        self.organisation(("hub", "code"), self.settings.hub.code)
        for name, party in self.settings.parties.items():
            self.organisation(("parties", name, "code"), party.code)
        for name in self.settings.connections:
            self._connection(generation, name)
        for name in self.settings.destinations:
            self._destination(name)
        for number in range(len(self.settings.routes)):
            self._route(generation, number)
        for where, what, hint in queues_twice(self.settings):
            self.complain(where, what, hint)
        self._via_province(generation)
        for name, lookup in self.settings.lookups.items():
            self._adapter(("lookups", name), lookup.adapter, lookup.settings, "lookup")
        check_lookups(self, generation)
        self._source_priority(generation)
        check_zones(self, generation)
        check_circles(self, generation)
        check_tasks(self)
        check_alarms(self)
        self._codes(generation)

    def _connection(self, generation: Generation, name: str) -> None:
        path = ("connections", name)
        settings = self.settings.connections[name]
        self.one_of((*path, "party"), "party", settings.party, self.settings.parties)
        self._adapter(path, settings.adapter, settings.settings, "source")
        if not settings.mapping:
            if settings.adapter in (NEIGHBOUR, QUEUE) and not settings.dataset:
                pass  # each parcel names its data set
            elif not settings.dataset:
                self.complain(path, f"{name} says neither 'mapping' nor 'dataset'")
            else:
                self.one_of((*path, "dataset"), "data set", settings.dataset, generation.standard.ids())
            self._read_options(path, {}, settings.read)
            return
        dataset = self._mapping(generation, (*path, "mapping"), settings.mapping)
        if dataset is not None and settings.dataset and settings.dataset != dataset.id:
            self.complain((*path, "dataset"), f"the mapping is for {dataset.id}, not {settings.dataset}")
        loaded = generation.mapping(settings.mapping) if dataset is not None else None
        if loaded is not None and loaded.file is not None:
            self._read_options(path, loaded.file.read, settings.read)

    def _mapping(self, generation: Generation, path: tuple[str | int, ...], name: str) -> DataSet | None:
        try:
            loaded = generation.mapping(name)
        except UnknownName as error:
            self.complain(path, error.what, error.hint or "")
            return None
        dataset = None
        if loaded.file is not None:
            try:
                dataset = generation.standard.dataset(loaded.file.dataset, loaded.file.dataset_version)
            except UnknownName as error:
                loaded.document.complain(("dataset",), error.what, error.hint or "")
        standard = generation.standard
        if dataset is not None:
            lint(loaded, dataset, standard.common_for(dataset), standard.codes, functions_of(standard))
        self.problems += [Problem(f"{name}.yaml", p.line, p.what, p.hint) for p in loaded.problems]
        return dataset if not loaded.problems else None

    def _read_options(self, path: tuple[str | int, ...], first: dict[str, Any], own: dict[str, Any]) -> None:
        self._model((*path, "read"), ReadOptions, {**first, **own})

    def _model(self, path: tuple[str | int, ...], model: type[BaseModel], values: dict[str, Any]) -> BaseModel | None:
        try:
            return model.model_validate(values)
        except ValidationError as error:
            for one in error.errors():
                where = (*path, *one["loc"])
                if one["type"] == "extra_forbidden":
                    near = get_close_matches(str(one["loc"][-1]), words_at(model, one["loc"][:-1]), 1)
                    hint = f"did you mean {near[0]}?" if near else f"there are: {', '.join(words_at(model, ()))}"
                    self.complain(where, f"unknown word {one['loc'][-1]}", hint)
                else:
                    said = one["msg"].removeprefix("Value error, ")
                    self.complain(where, f"{'.'.join(str(p) for p in one['loc'])}: {said}")
        return None

    def _adapter(self, path: tuple[str | int, ...], name: str, values: dict[str, Any], side: Side) -> None:
        try:
            manifest = registry.load(name)
        except HubError as error:
            self.complain((*path, "adapter"), error.what, error.hint or "")
            return
        model, cannot = {
            "source": (manifest.source_settings, "does not take in"),
            "destination": (manifest.destination_settings, "does not deliver"),
            "lookup": (manifest.lookup_settings, "cannot be asked"),
        }[side]
        if model is None:
            self.complain((*path, "adapter"), f"the adapter {name} {cannot}")
            return
        broker = self.settings.broker
        if manifest.on_rabbitmq and not (broker.url or broker.url_secret):
            self.complain(
                (*path, "adapter"),
                f"the adapter {name} needs RabbitMQ, and broker.url is empty (适配器 {name} 需要 RabbitMQ)",
                "set url or url_secret in [broker] (请在 [broker] 中设置)",
            )
        parsed = self._model((*path, "settings"), model, values)
        if side == "destination":
            self._forms(path, parsed)

    def _forms(self, path: tuple[str | int, ...], settings: BaseModel | None) -> None:
        """Outward forms that a destination uses: each for its data set, and without mistakes."""
        if not isinstance(settings, Formed):
            return
        for dataset_id, name in settings.forms.items():
            where = (*path, "settings", "forms", dataset_id)
            if not self.one_of(where, "data set", dataset_id, self.known.standard.ids()):
                continue
            try:
                loaded = load_form(self.known.folders, name)
            except UnknownName as error:
                self.complain(where, error.what, error.hint or "")
                continue
            dataset = self.known.standard.dataset(dataset_id)
            if loaded.file is not None and loaded.file.dataset != dataset_id:
                self.complain(where, f"the form {name} is for {loaded.file.dataset}, not {dataset_id}")
                continue
            lint_form(loaded, dataset, self.known.standard.common)
            self.problems += [Problem(f"{name}.out.yaml", p.line, p.what, p.hint) for p in loaded.document.problems]

    def _destination(self, name: str) -> None:
        path = ("destinations", name)
        settings = self.settings.destinations[name]
        self._adapter(path, settings.adapter, settings.settings, "destination")
        if not self.one_of((*path, "party"), "party", settings.party, self.settings.parties):
            return
        party = self.settings.parties[settings.party]
        if party.level is None or settings.direction is Direction.ACROSS:
            return
        own, other = LEVELS.index(self.settings.hub.level), LEVELS.index(party.level)
        if settings.direction is Direction.UP and own < LEVELS.index("province") and party.level == "nation":
            self.complain(
                path,
                f"a {self.settings.hub.level} never writes to the nation: {name} goes past the province",
                "deliver to the provincial centre, which reports to the nation",
            )
        elif settings.direction is Direction.UP and other <= own:
            self.complain(path, f"{name} is said to be above, but {settings.party} is of level {party.level}")
        elif settings.direction is Direction.DOWN and other >= own:
            self.complain(path, f"{name} is said to be below, but {settings.party} is of level {party.level}")

    def _route(self, generation: Generation, number: int) -> None:
        route = self.settings.routes[number]
        path = ("routes", number)
        for name in route.to:
            self.one_of((*path, "to"), "destination", name, self.settings.destinations)
        for name in route.parties:
            self.one_of((*path, "parties"), "party", name, self.settings.parties)
        for name in route.connections:
            self.one_of((*path, "connections"), "connection", name, self.settings.connections)
        right = [
            name
            for name in route.datasets
            if self.one_of((*path, "datasets"), "data set", name, generation.standard.ids())
        ]
        if route.when:
            for name in right or generation.standard.ids():
                dataset = generation.standard.dataset(name)
                try:
                    parse(route.when, [e.id for e in generation.standard.elements(dataset)])
                except HubError as error:
                    self.complain((*path, "when"), f"{name}: {error.what}", error.hint or "")
                    break

    def _via_province(self, generation: Generation) -> None:
        for number, said in enumerate(self.settings.via_province):
            for name in said.datasets:
                self.one_of(("via_province", number, "datasets"), "data set", name, generation.standard.ids())
            for owner in said.owners:
                self.organisation(("via_province", number, "owners"), owner)

    def _source_priority(self, generation: Generation) -> None:
        seen: set[str] = set()
        for number, said in enumerate(self.settings.source_priority):
            path = ("source_priority", number)
            for name in said.datasets:
                self.one_of((*path, "datasets"), "data set", name, generation.standard.ids())
                if name in seen:
                    self.complain((*path, "datasets"), f"{name} has a source priority already", "put both into one")
                seen.add(name)
            for party in said.parties:
                self.one_of((*path, "parties"), "party", party, self.settings.parties)

    def _codes(self, generation: Generation) -> None:
        known = catalogue().codes()
        ids = generation.standard.ids()
        for key in self.settings.severities:
            dataset, colon, code = key.rpartition(":")
            if colon:
                self.one_of(("severities", key), "data set", dataset, ids)
            self.one_of(("severities", key), "finding code", code, known)
        for key in self.settings.references:
            name, dot, element = key.partition(".")
            if key == "default" or not self.one_of(("references", key), "data set", name, ids):
                continue
            refers = [e.id for e in generation.standard.dataset(name).elements if e.refers is not None]
            if dot:
                self.one_of(("references", key), f"reference in {name}", element, refers)

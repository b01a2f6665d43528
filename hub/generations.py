"""Generations: numbered, checked sets of settings, mappings and standards; switched at once in every process.

A generation is stored whole in the ledger and laid out as a folder beside it, so that a submission begun under one
can be finished under it, after any crash and in any process.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import zstandard
from sqlalchemy import Connection as Db
from sqlalchemy import func, select

from adapters import registry
from adapters.formats.base import ReadOptions
from hub import answers
from hub.authority import authority_of
from hub.ledger.engine import Conflict, Ledger
from hub.ledger.tables import generation as table
from hub.openings import rules_of
from hub.plan import Plan, RouteTo, lookups_of, references_of, routes_of
from hub.plans import PlanShelf
from hub.settings import Connection, Settings
from hub.vault import Seal, blind_of
from hub.zones import zone_of
from mappings import compile as mapping_compiler
from mappings.grammar import MappingFile
from mappings.load import Loaded, MappingFolders
from standards.checker import Checker
from standards.clock import Clock
from standards.digest import sm3
from standards.divisions import Regions
from standards.errors import BadConfiguration, UnknownName
from standards.findings import catalogue
from standards.model import DataSet, FilledBy, Severity
from standards.region_names import RegionNames
from standards.registry import Standard
from standards.registry import load as load_standard

#: Folders of a site that belong to a generation.
_SITE_FOLDERS = ("mappings", "standards", "calendars")
#: A connection without a mapping takes records in the standard's words.
STANDARD_WORDS = "standard"


@dataclass(slots=True)
class Generation:
    """One checked set of everything that decides how a record is treated."""

    number: int
    settings: Settings
    standard: Standard
    folders: MappingFolders
    seal: Seal
    _mappings: dict[str, Loaded] = field(default_factory=dict)

    def connection(self, name: str) -> Connection:
        """A connection's settings; raises UnknownName with the near name."""
        found = self.settings.connections.get(name)
        if found is None:
            raise unknown_connection(name, list(self.settings.connections))
        return found

    def mapping_of(self, connection: str) -> str:
        """Which mapping a connection uses."""
        return self.connection(connection).mapping or STANDARD_WORDS

    def mapping(self, name: str) -> Loaded:
        """A mapping as it was read."""
        if name not in self._mappings:
            self._mappings[name] = self.folders.load(name)
        return self._mappings[name]

    def dataset_of(self, connection: str) -> str:
        """The data set of a connection's records; '' where each hand-over names its own."""
        settings = self.connection(connection)
        if settings.dataset or not settings.mapping:
            return settings.dataset
        file = self.mapping(settings.mapping).file
        return file.dataset if file is not None else ""

    def file_of(self, connection: str, dataset: str = "") -> tuple[MappingFile, dict[str, dict[str, str]]]:
        """The mapping of a connection and its crosswalks; `dataset` where each hand-over names its own."""
        settings = self.connection(connection)
        if not settings.mapping:
            return standard_words(self.standard.dataset(settings.dataset or dataset)), {}
        loaded = self.mapping(settings.mapping)
        if loaded.file is None:
            raise BadConfiguration(
                f"the mapping {settings.mapping} is wrong", hint="; ".join(map(str, loaded.problems[:3]))
            )
        return loaded.file, loaded.crosswalks

    def crosswalk_names(self, mapping: str) -> list[str]:
        """Crosswalks and code lists whose unknown words can be answered for a mapping.  Raises UnknownName."""
        if mapping == STANDARD_WORDS:
            return sorted({e.list for dataset in self.standard for e in dataset.elements if e.list})
        loaded = self.mapping(mapping)
        if loaded.file is None:
            return sorted(loaded.crosswalks)
        said = {spec.codes for spec in loaded.file.elements.values() if spec.codes}
        dataset = self.standard.dataset(loaded.file.dataset, loaded.file.dataset_version)
        lists = {e.list for e in (*dataset.elements, *self.standard.common_for(dataset)) if e.list}
        return sorted({*loaded.crosswalks, *said, *lists})

    def mapping_version(self, name: str) -> str:
        """The mapping of a connection and its version, as records and receipts name it; '' where it cannot be told."""
        if not self.dataset_of(name):
            return ""
        return f"{self.mapping_of(name)} v{self.file_of(name)[0].version}"

    def plan(self, name: str, answered: Mapping[str, Mapping[str, str]], dataset_id: str = "") -> Plan:
        """Everything that translating a connection's hand-overs needs; for one thread."""
        settings = self.connection(name)
        file, crosswalks = self.file_of(name, dataset_id)
        dataset = self.standard.dataset(file.dataset, file.dataset_version)
        common = self.standard.common_for(dataset)
        program = mapping_compiler.build(
            self.mapping_of(name),
            file,
            dataset,
            common,
            self.standard.codes,
            crosswalks=crosswalks,
            answers=answered,
            functions=functions_of(self.standard),
        )
        party = self.settings.parties[settings.party]
        return Plan(
            connection=name,
            settings=settings,
            party=settings.party,
            party_settings=party,
            dataset=dataset,
            mapping=f"{self.mapping_of(name)} v{file.version}",
            program=program,
            checker=self.checker(dataset),
            read=ReadOptions.model_validate({**self._chunks(), **file.read, **settings.read}),
            severity=self.severity_of(dataset),
            references=references_of(dataset, self.reference_policy, self.standard.dataset),
            routes=self.routes(name, settings.party, dataset),
            foreign=self.settings.foreign_key,
            authority=authority_of(self.settings, dataset.id, settings.party),
            elsewhere={
                owner: said.through
                for said in self.settings.via_province
                if dataset.id in said.datasets
                for owner in said.owners or ("",)
            },
            tasks=rules_of(self.settings, name, dataset.id),
            answers=answers.rules_of(self.settings, name, dataset.id, [e.id for e in dataset.elements]),
            task_ways=answers.ways_of(self.settings),
            to_tasks=self.task_routes(dataset),
            shares=any(one.shared for one in self.settings.destinations.values()),
            codes={name: one.code for name, one in self.settings.parties.items()},
            lookups=lookups_of(self.settings, dataset, common),
            blind=blind_of(self.seal),
            seal=self.seal,
        )

    def _chunks(self) -> dict[str, int]:
        """Where one thread writes for everybody, nobody may be at it for long."""
        url = self.settings.ledger.url
        return {"chunk": _OF_ONE_WRITER} if not url or url.startswith("sqlite") else {}

    def routes(self, connection: str, party: str, dataset: DataSet) -> tuple[RouteTo, ...]:
        """Where a connection's records of a data set go."""
        return routes_of(
            self.settings.routes,
            connection=connection,
            party=party,
            dataset=dataset,
            common=self.standard.common_for(dataset),
            destinations=self.settings.destinations,
            parties=self.settings.parties,
            zone=lambda destination: zone_of(self.settings, destination, dataset),
        )

    def task_routes(self, dataset: DataSet) -> dict[str, RouteTo]:
        """The destinations of what is a task, its answer, or shared, as routes of one data set."""
        return {
            name: RouteTo(name, str(said.direction), said.parcel, zone=zone_of(self.settings, name, dataset))
            for name, said in self.settings.destinations.items()
            if said.tasks or said.shared
        }

    def checker(self, dataset: DataSet, demand: frozenset[FilledBy] = frozenset({FilledBy.SENDER})) -> Checker:
        """A checker of a data set; for one thread."""
        return Checker(dataset, self.standard, demand, self.standard.common_for(dataset), mild=mild_codes())

    def severity_of(self, dataset: DataSet) -> Callable[[str, str], Severity]:
        """How serious a finding (code, rule) is for a data set: by settings, then the rule, then the catalogue."""
        own = self.settings.severities
        rules = {rule.id: rule for rule in dataset.rules}
        held: dict[tuple[str, str], Severity] = {}

        def severity(code: str, rule: str = "") -> Severity:
            if (code, rule) not in held:
                base = code.partition(".")[0]
                names = (f"{dataset.id}:{code}", f"{dataset.id}:{base}", code, base)
                said = next((own[n] for n in names if n in own), None)
                held[code, rule] = said or catalogue().severity(code, rules.get(rule))
            return held[code, rule]

        return severity

    def reference_policy(self, dataset: str, element: str) -> str:
        """What an unknown reference does: off, warn, hold or reject."""
        own = self.settings.references
        return own.get(f"{dataset}.{element}") or own.get(dataset) or own.get("default") or "off"


#: Common elements that a message from another hub or front-end table carries and that we fill ourselves.
_TRAVELLING = (
    "cd_*", "data_up_*", "dataset_version", "provider_code", "report_way", "trace_id", "event_date", "content_digest",
)  # fmt: skip


#: Records of a chunk on SQLite, where nothing else is said.
_OF_ONE_WRITER = 500


@cache
def mild_codes() -> frozenset[str]:
    """Finding codes that only warn: a rule may still speak about an element that has one."""
    return frozenset(e.code for e in catalogue() if e.severity is Severity.WARNING)


def functions_of(standard: Standard) -> dict[str, Callable[..., object]]:
    """Functions that expressions may use besides the common ones, because they ask the standard.

    `region_of(省, 市, 县)`: the division code of a place by its names from above to below; '' when it is not known.
    """
    return {"region_of": _names_of(standard.regions).find}


@lru_cache(2)
def _names_of(regions: Regions) -> RegionNames:
    """Made once for each table of divisions: there are thousands of names in it, and plans are built often."""
    return RegionNames(regions)


def standard_words(dataset: DataSet) -> MappingFile:
    """The mapping of a sender who speaks the standard: every element from the field of its own name."""
    given = [e.id for e in dataset.elements if e.filled_by is not FilledBy.RECEIVER]
    common = ["record_unique_identity", "cd_operation", "owner_org_code", "remark", "signature"]
    names = [*given, *(c for c in common if c not in given)]
    titles = {e.id: e.title for e in dataset.elements}
    return MappingFile.model_validate(
        {
            "mapping": f"{dataset.title}（标准报文）",
            "dataset": dataset.id,
            "dataset_version": dataset.version,
            # A template has Chinese titles where a message has element ids; either will do.
            "elements": {n: {"first": [titles[n], n]} if n in titles else n for n in names},
            "ignore": [*_TRAVELLING],
        }
    )


def unknown_connection(name: str, known: list[str]) -> UnknownName:
    """No connection of that name; with the near one."""
    near = get_close_matches(name, known, 1)
    return UnknownName(
        f"no connection {name}",
        what_zh=f"没有名为 {name} 的接入",
        hint=f"did you mean {near[0]}?" if near else "see: hub check",
        hint_zh=f"是不是 {near[0]}？" if near else None,
    )


@dataclass(slots=True)
class Body:
    """What a generation is made of, as it is stored."""

    settings: dict[str, Any]
    #: Path below the site folder -> text.
    files: dict[str, str]

    def pack(self) -> bytes:
        """For the ledger."""
        text = json.dumps({"settings": self.settings, "files": self.files}, ensure_ascii=False, sort_keys=True)
        return zstandard.ZstdCompressor(level=9).compress(text.encode())

    @classmethod
    def unpack(cls, data: bytes) -> Body:
        """From the ledger."""
        held = json.loads(zstandard.ZstdDecompressor().decompress(data))
        return cls(held["settings"], held["files"])

    @property
    def digest(self) -> str:
        """SM3 of everything in it."""
        text = json.dumps({"settings": self.settings, "files": self.files}, ensure_ascii=False, sort_keys=True)
        return sm3(text.encode()).hex()


def mapping_folders(site: Path | None) -> MappingFolders:
    """Where mappings are looked for: the site's folder, then the packages of adapters, then built in."""
    return MappingFolders([*([site / "mappings"] if site else []), *registry.mapping_folders()])


def collect(settings: Settings, site: Path | None) -> Body:
    """Everything that belongs to a generation: the settings, the site's files, and the mappings in use."""
    files: dict[str, str] = {}
    folders = mapping_folders(site)
    for connection in settings.connections.values():
        if not connection.mapping:
            continue
        try:
            path = folders.path(connection.mapping)
        except UnknownName:
            continue  # told by the check of the settings
        system = connection.mapping.partition("/")[0]
        for beside in (path, *sorted(path.parent.glob("*.csv"))):
            files[f"mappings/{system}/{beside.name}"] = beside.read_text("utf-8-sig")
    for name in _SITE_FOLDERS:
        folder = site / name if site else None
        for path in sorted(folder.rglob("*")) if folder and folder.is_dir() else ():
            if path.is_file() and path.suffix in (".yaml", ".csv", ".json", ".toml"):
                files[f"{name}/{path.relative_to(folder).as_posix()}"] = path.read_text("utf-8-sig")  # type: ignore[arg-type]
    return Body(settings.model_dump(mode="json"), files)


class Generations:
    """The generations of one ledger, compiled as they are needed; the newest is looked for every few seconds."""

    def __init__(self, ledger: Ledger, clock: Clock, state: Path, seal: Seal, look_every: float = 2.0) -> None:
        self._ledger = ledger
        self._clock = clock
        self._folder = state / "generations"
        self._seal = seal
        self._look_every = timedelta(seconds=look_every)
        self._lock = threading.RLock()
        self._built: dict[int, Generation] = {}
        self._newest: int | None = None
        self._looked: datetime | None = None
        #: Plans for a look at a few records; a worker has its own.
        self.plans = PlanShelf(ledger)

    def publish(self, body: Body, by: str) -> int:
        """Store a checked body as the newest generation, unless it is the newest already; its number."""
        now = self._clock.now()

        def work(connection: Db) -> int:
            row = connection.execute(
                select(table.c.number, table.c.digest).order_by(table.c.number.desc()).limit(1)
            ).one_or_none()
            if row is not None and row[1] == body.digest:
                return int(row[0])
            number = (row[0] if row else 0) + 1
            taken = connection.execute(select(func.count()).where(table.c.number == number)).scalar_one()
            if taken:
                raise Conflict
            connection.execute(
                table.insert().values(
                    number=number, digest=body.digest, created_at=now, created_by=by, body=body.pack()
                )
            )
            return int(number)

        number = self._ledger.write(work)
        with self._lock:
            self._newest, self._looked = number, now
        return number

    def current(self) -> Generation:
        """The newest generation.  Raises BadConfiguration when there is none."""
        with self._lock:
            now = self._clock.now()
            if self._newest is None or self._looked is None or now - self._looked >= self._look_every:
                with self._ledger.read() as connection:
                    self._newest = connection.execute(select(func.max(table.c.number))).scalar()
                self._looked = now
            if self._newest is None:
                raise BadConfiguration(
                    "the ledger holds no settings yet",
                    hint="hub serve --config hub.toml",
                    hint_zh="请先启动枢纽：hub serve --config hub.toml",
                )
            return self.get(self._newest)

    def get(self, number: int) -> Generation:
        """A generation by its number."""
        with self._lock:
            if number not in self._built:
                self._built[number] = self._build(number)
            return self._built[number]

    def _build(self, number: int) -> Generation:
        with self._ledger.read() as connection:
            packed = connection.execute(select(table.c.body).where(table.c.number == number)).scalar()
        if packed is None:
            raise BadConfiguration(f"generation {number} is not in the ledger", what_zh=f"台账中没有第 {number} 代配置")
        body = Body.unpack(packed)
        folder = self._folder / f"{number}-{body.digest[:12]}"
        lay_out(folder, body.files)
        return assemble(number, body, folder, self._seal)


def lay_out(folder: Path, files: Mapping[str, str]) -> None:
    """Put the files of a generation into a folder of its own; whole or not at all."""
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix="making-", dir=folder.parent))
    for name, text in files.items():
        path = making / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    try:
        os.rename(making, folder)
    except OSError:  # another process was faster
        shutil.rmtree(making, ignore_errors=True)


def assemble(number: int, body: Body, site: Path, seal: Seal) -> Generation:
    """A generation from its parts; `site` holds the files of the body."""
    settings = Settings.model_validate(body.settings)
    standard = load_standard([site / "standards"] if (site / "standards").is_dir() else [])
    return Generation(number, settings, standard, mapping_folders(site), seal)

"""Coverage over what really came in: the raw bytes of submissions, or a sample file, mapped and judged once more.

The raw bytes are read, not the stored records, because a rejected record is not stored, and its gaps count most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from adapters.formats import open_records
from adapters.formats.base import LegacyChunk, Payload, ReadOptions
from adapters.formats.payload import FilePayload
from hub.bootstrap import Hub
from hub.generations import STANDARD_WORDS
from hub.ledger import submissions
from hub.ledger.submissions import Submission
from hub.mapping_check import checker_of, find, program_of
from hub.payload import LedgerPayload
from hub.plans import Plans
from mappings.compile import Program
from mappings.coverage import Coverage, Line
from standards.checker import Checker
from standards.clock import SHANGHAI, local, local_text
from standards.errors import BadConfiguration, HubError
from standards.findings import catalogue
from standards.model import Severity
from standards.registry import Standard

#: Submissions of one connection that are looked at, at most.
_MOST = 1000
_JUDGED = ("judged", "settled")


@dataclass(slots=True)
class _Reader:
    """Counts payloads until so many records were seen."""

    program: Program
    checker: Checker
    options: ReadOptions
    coverage: Coverage
    most: int
    #: True when there was more than was asked for.
    cut: bool = False
    #: Rows that could not be read at all.
    broken: int = 0
    unknown: dict[str, None] = field(default_factory=dict)

    def read(self, payload: Payload, today: date) -> None:
        """One payload.  Raises what reading it raises."""
        _, chunks = open_records(payload, self.options)
        for chunk in chunks:
            if self.coverage.rows >= self.most:
                self.cut = True
                return
            self._add(chunk, today.isoformat())

    def _add(self, chunk: LegacyChunk, today: str) -> None:
        translated = self.program.run(chunk.columns, chunk.count)
        self.unknown.update(dict.fromkeys(translated.unknown_fields))
        faults = translated.faults + self.checker.check(translated.columns, chunk.count, today, clean=chunk.clean)
        operations = translated.columns.get("cd_operation") or [""] * chunk.count
        self.broken += len(chunk.broken)
        # A row that cannot be read fills nothing, and one that deletes need not.
        left_out = {row for row, word in enumerate(operations) if word == "d"} | set(chunk.broken)
        if not left_out:
            self.coverage.add(translated.columns, chunk.count, faults)
            return
        kept = [row for row in range(chunk.count) if row not in left_out]
        columns = {name: [column[row] for row in kept] for name, column in translated.columns.items()}
        self.coverage.add(columns, len(kept), [f for f in faults if f.row not in left_out])


def of_sample(sample: Path, mapping: str, standard: Standard, site: Path | None, most: int) -> dict[str, Any]:
    """The coverage of a file by a mapping.  Raises UnknownName, BadConfiguration, UnreadablePayload."""
    found = find(mapping, standard, site)
    program = program_of(found, standard)
    severity = _by_catalogue(program)
    options = ReadOptions.model_validate(program.file.read)
    coverage = Coverage(program.dataset, program.file, program.labels, severity)
    reader = _Reader(program, checker_of(program.dataset, standard), options, coverage, most)
    reader.read(FilePayload(sample.name, sample), date.today())  # noqa: DTZ011 - the day on the wall of who asks
    return _document(reader, mapping, {"sample": sample.name})


def _by_catalogue(program: Program) -> Callable[[str, str], Severity]:
    rules = {rule.id: rule for rule in program.dataset.rules}
    return lambda code, rule: catalogue().severity(code, rules.get(rule))


def of_ledger(
    hub: Hub, names: Sequence[str], since: date | None, most: int, opened: int | None = None
) -> list[dict[str, Any]]:
    """The coverage of what came in through connections, the newest first, `most` records each; one for each data set.

    `opened`: of no more hand-overs than this, as many may hold a single record.
    A connection through which nothing came gives nothing.
    """
    with hub.generations.plans.lent() as plans:
        return [document for name in names for document in _of_connection(hub, plans, name, since, most, opened)]


def _of_connection(
    hub: Hub, plans: Plans, name: str, since: date | None, most: int, opened: int | None
) -> Iterator[dict[str, Any]]:
    generation = hub.generations.current()
    start = datetime.combine(since, time(), SHANGHAI) if since is not None else None
    readers: dict[str, _Reader] = {}
    seen: dict[str, list[Submission]] = {}
    unread: dict[str, list[dict[str, str]]] = {}
    for one in _submissions(hub, name, start):
        own = "" if generation.dataset_of(name) else one.dataset
        reader = readers.get(own)
        if reader is None:
            plan = plans.plan(generation, name, own)
            coverage = Coverage(plan.dataset, plan.program.file, plan.program.labels, plan.severity)
            reader = readers[own] = _Reader(plan.program, plan.checker, plan.read, coverage, most)
        if reader.coverage.rows >= most or len(seen.get(own, ())) + len(unread.get(own, ())) == opened:
            reader.cut = True
            continue
        try:
            reader.read(LedgerPayload(hub.ledger, one, hub.seal), local(one.received_at).date())
            seen.setdefault(own, []).append(one)
        except HubError as error:
            # One that cannot be read, or whose content is no longer kept, never stops its neighbours.
            unread.setdefault(own, []).append({"receipt_no": one.receipt_no, "why": error.what_zh})
    for own, reader in readers.items():
        looked_at = seen.get(own, [])
        yield _document(
            reader,
            generation.mapping_of(name),
            {
                "connection": name,
                "submissions": len(looked_at),
                "first_at": local_text(min((s.received_at for s in looked_at), default=None)),
                "last_at": local_text(max((s.received_at for s in looked_at), default=None)),
                "unread": unread.get(own, [])[:20],
            },
        )


def _submissions(hub: Hub, name: str, start: datetime | None) -> Iterable[Submission]:
    """What a connection handed over itself: replays and repairs are looked at as what they repeat."""
    party = hub.generations.current().connection(name).party  # by which there is an index
    with hub.ledger.read() as read:
        found = list(
            submissions.listed(read, party=party, connection_name=name, states=_JUDGED, since=start, limit=_MOST)
        )
    return [one for one in found if one.origin_id is None]


def _document(reader: _Reader, mapping: str, about: dict[str, Any]) -> dict[str, Any]:
    """Ready for JSON."""
    dataset = reader.coverage.dataset
    return {
        **about,
        "dataset": dataset.id,
        "title": dataset.title,
        "mapping": "" if mapping == STANDARD_WORDS else mapping,
        "rows": reader.coverage.rows,
        "broken": reader.broken,
        "cut": reader.cut,
        "unknown_fields": list(reader.unknown),
        "elements": [_element(line) for line in reader.coverage.lines()],
    }


def _element(line: Line) -> dict[str, Any]:
    return {
        "element": line.element,
        "title": line.title,
        "need": line.need,
        "fields": line.fields,
        "standing": str(line.standing),
        "filled": line.filled,
        "share": round(line.share, 4),
        "distinct": line.distinct,
        "more": line.more,
        "commonest": line.commonest,
        "times": line.times,
        "findings": line.findings,
        "warnings": line.warnings,
    }


def need_one(sample: Path | None, mapping: str, connection: str) -> None:
    """Raise BadConfiguration unless it is said what to look at in one way only."""
    if sample is not None and not mapping:
        raise BadConfiguration(
            "a sample needs --mapping", what_zh="指定样例文件时须同时指定 --mapping", hint="see: hub mapping show"
        )
    if sample is None and mapping:
        raise BadConfiguration(
            "--mapping needs a sample file",
            what_zh="指定 --mapping 时须给出样例文件",
            hint="or name a --connection",
            hint_zh="或用 --connection 指定接入",
        )
    if sample is not None and connection:
        raise BadConfiguration("a sample or a connection, not both", what_zh="样例文件与 --connection 只能选一种")

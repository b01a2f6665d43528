"""One chunk of legacy records made ready to store: mapped, checked, encoded, digested.  No ledger, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from adapters.formats.base import LegacyChunk
from hub.courtesy import MANY, courtesy
from hub.packing import packed
from hub.persons import ORGANISATIONS, is_person
from hub.plan import Plan, ReferenceCheck
from hub.translate.consult import Ask, Consulted, Said, consult, nobody_to_ask
from hub.translate.decide import Candidates
from hub.translate.encode import candidates_of, lines_of
from standards.checker import UNREADABLE, Fault
from standards.digest import join_key, key_hash
from standards.masks import mask
from standards.masks_in_text import mask_text
from standards.model import Severity
from standards.places import with_column

#: Common elements a sender may give; they travel with the record but never count for its digest.
SENDER_COMMON = ("record_unique_identity", "owner_org_code", "remark", "signature")


class FindingRow(NamedTuple):
    """A finding on its way into the ledger; `row` is the index in the chunk."""

    row: int
    element: str
    field: str
    place: str
    code: str
    severity: Severity
    value: str
    params: Mapping[str, str]


@dataclass(slots=True)
class Spots:
    """Where the elements of a chunk's records stand in the sender's file, and what she calls them."""

    plan: Plan
    chunk: LegacyChunk
    _known: dict[str, tuple[str, str]] = field(default_factory=dict)

    def of(self, element: str, row: int) -> tuple[str, str]:
        """The sender's field(s) of an element, and the place of its value in a row."""
        found = self._known.get(element)
        if found is None:
            here = self.plan.program.fields_here(element, self.chunk.columns)
            letter = self.chunk.letters.get(here[0], "") if here else ""
            found = self._known[element] = ("、".join(here), letter)
        return found[0], with_column(self.chunk.places[row], found[1])


@dataclass(slots=True)
class Wanted:
    """The references of one chunk that must be known: element, rows, and the key each names."""

    check: ReferenceCheck
    rows: list[int]
    keys: list[bytes]
    values: list[str]


@dataclass(slots=True)
class Prepared:
    """A chunk ready to be decided and stored."""

    chunk: LegacyChunk
    columns: dict[str, list[str]]
    findings: list[FindingRow]
    #: Per row: the worst severity found, or None.
    worst: list[Severity | None]
    candidates: Candidates
    #: index in the chunk -> position among the candidates.
    position: dict[int, int]
    content: bytes | None
    common: bytes | None
    #: Keys of faulty rows, where they could be read: so that their cases close when the key comes again.
    faulty_keys: dict[int, tuple[bytes, str]] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    #: index in the chunk -> what lookups filled in; it counts neither for the content nor for its digest.
    fills: dict[int, dict[str, str]] = field(default_factory=dict)
    unknown_fields: tuple[str, ...] = ()

    def key_of(self, row: int) -> tuple[bytes | None, str]:
        """Key hash and owner of a row, as far as they could be read."""
        position = self.position.get(row)
        if position is not None:
            return self.candidates.key_hash[position], self.candidates.owner[position]
        return self.faulty_keys.get(row, (None, ""))


def prepare(
    plan: Plan, chunk: LegacyChunk, first_row: int, today: str, ask: Ask = nobody_to_ask, *, undo: bool = False
) -> Prepared:
    """Map and check a chunk whose first record is number `first_row` of its submission.

    `ask` asks the bases that records are looked up in; `undo`: every record takes back what it once reported.
    """
    aside = courtesy.give_way if chunk.count > MANY else _go_on
    translated = plan.program.run(chunk.columns, chunk.count)
    aside()
    columns = translated.columns
    if undo:
        columns["cd_operation"] = ["d"] * chunk.count
    consulted = _consulted(plan, columns, chunk, ask) if plan.lookups else None
    faults = translated.faults + _checked(plan, columns, chunk, today, consulted)
    aside()
    if plan.elsewhere:
        faults += _elsewhere(plan, columns, chunk.count)
    if chunk.broken:
        broken = chunk.broken
        faults = [f for f in faults if f.row not in broken]
        faults += [Fault(row, "", b.code, b.value, b.params) for row, b in broken.items()]
    operations = operations_of(columns, chunk.count)
    if "d" in operations:
        keys = set(plan.dataset.natural_key)
        faults = [f for f in faults if operations[f.row] != "d" or f.element in keys or f.row in chunk.broken]
    findings, worst = _judge(plan, chunk, columns, faults)
    aside()
    prepared = Prepared(
        chunk, columns, findings, worst, Candidates.empty(), {}, None, None, unknown_fields=translated.unknown_fields
    )
    if consulted is not None:
        _told_by_bases(plan, prepared, consulted)
    _encode(plan, prepared, operations, first_row)
    aside()
    if consulted is not None:
        prepared.columns, prepared.fills = consulted.columns, consulted.fills
    _references(plan, prepared)
    return prepared


def _go_on() -> None:
    """Few records are done in a moment."""


def _elsewhere(plan: Plan, columns: Mapping[str, list[str]], count: int) -> list[Fault]:
    """Records that go up through their department's provincial system (article 17): not taken a second time."""
    owners = columns.get("owner_org_code") or [""] * count
    all_of_them = plan.elsewhere.get("")
    faults = []
    for row, owner in enumerate(owners):
        through = plan.elsewhere.get(owner or plan.owner, all_of_them)
        if through:
            faults.append(Fault(row, "", "50001.via_province", owner or plan.owner, {"through": through}))
    return faults


def _consulted(plan: Plan, columns: Mapping[str, list[str]], chunk: LegacyChunk, ask: Ask) -> Consulted:
    operations = operations_of(columns, chunk.count)
    rows = [i for i in range(chunk.count) if operations[i] != "d" and i not in chunk.broken]
    return consult(plan.lookups, columns, rows, chunk.count, ask)


def _checked(
    plan: Plan, columns: dict[str, list[str]], chunk: LegacyChunk, today: str, consulted: Consulted | None
) -> list[Fault]:
    """The faults of the records, with what bases filled in; a wrong filling is taken back and is nobody's fault."""
    if consulted is None:
        return plan.checker.check(columns, chunk.count, today, clean=chunk.clean)
    faults = plan.checker.check(consulted.columns, chunk.count, today, clean=False)
    if consulted.unfill(faults, columns):
        faults = plan.checker.check(consulted.columns, chunk.count, today, clean=False)
    return [f for f in faults if not consulted.may_wait(f)]


def _told_by_bases(plan: Plan, prepared: Prepared, consulted: Consulted) -> None:
    """What bases said, in the sender's words."""
    spots = Spots(plan, prepared.chunk)
    for said in consulted.said:
        label, place = spots.of(said.element, said.row)
        value, params = hidden(plan, prepared.columns, said)
        prepared.findings.append(
            FindingRow(said.row, said.element, label, place, said.code, said.severity, value, params)
        )
        before = prepared.worst[said.row]
        if before is None or _RANK[said.severity] > _RANK[before]:
            prepared.worst[said.row] = said.severity


def hidden(plan: Plan, columns: Mapping[str, list[str]], said: Said) -> tuple[str, dict[str, str]]:
    """Value and parameters of what a base said, masked where they are about a person."""
    fault = Fault(said.row, said.element, said.code, said.value, said.params)
    if not _is_personal(plan, columns, fault):
        return mask_text(said.value)[:200], {n: mask_text(v) for n, v in said.params.items()}
    return mask(said.value)[:200], {n: mask(v) if n == "other" else v for n, v in said.params.items()}


def operations_of(columns: Mapping[str, list[str]], count: int) -> list[str]:
    """What the sender asks for, row by row: i, u, d or ''."""
    column = columns.get("cd_operation")
    if column is None:
        return [""] * count
    return [v if v in ("i", "u", "d") else "" for v in column]


def _is_personal(plan: Plan, columns: Mapping[str, list[str]], fault: Fault) -> bool:
    if fault.element in plan.personal or is_person(fault.value):
        return True
    element = plan.dataset.by_id.get(fault.element)
    if element is None or element.identified_by is None:
        return False
    certificates = columns.get(element.identified_by)
    return certificates is not None and certificates[fault.row] not in ORGANISATIONS


def _judge(
    plan: Plan, chunk: LegacyChunk, columns: Mapping[str, list[str]], faults: list[Fault]
) -> tuple[list[FindingRow], list[Severity | None]]:
    """Faults in the sender's words, and what they do to each record."""
    worst: list[Severity | None] = [None] * chunk.count
    findings: list[FindingRow] = []
    spots = Spots(plan, chunk)
    for fault in sorted(faults, key=lambda f: f.row):
        severity = plan.severity(fault.code, fault.params.get("rule", ""))
        before = worst[fault.row]
        if before is None or _RANK[severity] > _RANK[before]:
            worst[fault.row] = severity
        label, place = spots.of(fault.element, fault.row)
        value = mask(fault.value) if _is_personal(plan, columns, fault) else mask_text(fault.value)
        findings.append(
            FindingRow(
                fault.row,
                fault.element,
                label,
                place,
                fault.code,
                severity,
                "" if value == UNREADABLE else value[:200],
                {name: mask_text(said) for name, said in fault.params.items()},
            )
        )
    return findings, worst


_RANK = {Severity.WARNING: 1, Severity.HOLD: 2, Severity.ERROR: 3}


def _encode(plan: Plan, prepared: Prepared, operations: list[str], first_row: int) -> None:
    """Content, digests and identities of the records that are not rejected."""
    columns, worst, count = prepared.columns, prepared.worst, prepared.chunk.count
    kept = [i for i in range(count) if worst[i] is not Severity.ERROR]
    if len(kept) < count:
        _keys_of_faulty(plan, prepared)
    if not kept:
        return
    prepared.candidates, lines = candidates_of(plan, columns, kept, operations, first_row)
    prepared.position = {i: p for p, i in enumerate(kept)}
    prepared.content = packed(b"\n".join(lines))
    common = tuple(sorted(name for name in SENDER_COMMON if name in columns and any(columns[name])))
    if common:
        rows = zip(*([columns[name][i] for i in kept] for name in common), strict=True)
        prepared.common = packed(b"\n".join(lines_of(common)(rows)))


def _keys_of_faulty(plan: Plan, prepared: Prepared) -> None:
    columns, worst, count = prepared.columns, prepared.worst, prepared.chunk.count
    key_columns = [columns.get(name) or [""] * count for name in plan.dataset.natural_key]
    owners = columns.get("owner_org_code") or [""] * count
    for i in range(count):
        if worst[i] is Severity.ERROR:
            parts = [column[i] for column in key_columns]
            if any(parts) and UNREADABLE not in (*parts, owners[i]):
                prepared.faulty_keys[i] = (key_hash(plan.dataset.id, join_key(parts)), owners[i] or plan.owner)


def _references(plan: Plan, prepared: Prepared) -> None:
    """Which keys the records of this chunk name, for the references that are checked."""
    if not prepared.position:
        return
    for check in plan.references:
        column = prepared.columns.get(check.element.id)
        if column is None:
            continue
        wanted = Wanted(check, [], [], [])
        further = [name for name in check.parts if name != check.element.id]
        others = [prepared.columns.get(name) for name in further]
        order = [None if name == check.element.id else further.index(name) for name in check.parts]
        remembered: dict[str, bytes] = {}
        for i in prepared.position:
            value = column[i]
            if not value or value in check.unless or value == UNREADABLE:
                continue
            for item in value.split(";") if check.many else (value,):
                if item in check.unless:
                    continue
                rest = [c[i] if c else "" for c in others]
                named = join_key([item if part is None else rest[part] for part in order])
                key = remembered.get(named)
                if key is None:
                    key = remembered[named] = key_hash(check.dataset, named)
                wanted.rows.append(i)
                wanted.keys.append(key)
                wanted.values.append(item)
        if wanted.rows:
            prepared.wanted.append(wanted)

"""The mapped content of stored records, to be judged again: what was mapped is not mapped once more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from adapters.formats.base import LegacyChunk
from hub.dispatch.contents import Contents
from hub.generations import Generation, functions_of, standard_words
from hub.ledger.engine import Ledger
from hub.ledger.tables import chunk, record
from hub.ledger.types import month_of
from hub.plan import Plan
from hub.translate.chosen import Chosen
from hub.vault import Seal
from mappings import compile as mapping_compiler
from standards.errors import BadConfiguration

_decode = msgspec.json.Decoder(dict[str, str]).decode


def as_mapped(generation: Generation, plan: Plan) -> Plan:
    """The plan of records whose mapping is done: every element is the field of its own name.

    Findings still name the sender's fields.
    """
    dataset = plan.dataset
    program = mapping_compiler.build(
        plan.program.name,
        standard_words(dataset),
        dataset,
        generation.standard.common_for(dataset),
        generation.standard.codes,
        crosswalks={},
        functions=functions_of(generation.standard),
    )
    return replace(plan, program=replace(program, sources=plan.program.sources, labels=plan.program.labels))


def chunks_of(ledger: Ledger, seal: Seal, source: UUID, rows: frozenset[int]) -> Iterator[Chosen]:
    """The stored content of these records of a hand-over, chunk by chunk.

    Raises BadConfiguration when it is no longer kept.
    """
    contents = Contents(seal, remembered=1)
    with ledger.read() as connection:
        stored = connection.execute(
            select(chunk.c.seq, chunk.c.first_row, chunk.c.count, chunk.c.member)
            .where(chunk.c.month == month_of(source), chunk.c.submission_id == source)
            .order_by(chunk.c.seq)
        ).all()
    for seq, first, count, member in stored:
        wanted = [row for row in range(first, first + count) if row in rows]
        if not wanted:
            continue
        with ledger.read() as connection:
            found = _read(connection, contents, source, seq, (first, first + count), rows, member)
        if found.chunk.count:
            yield found


def _read(
    connection: Connection,
    contents: Contents,
    source: UUID,
    seq: int,
    between: tuple[int, int],
    rows: frozenset[int],
    member: str,
) -> Chosen:
    records = connection.execute(
        select(record.c.row_no, record.c.idx, record.c.place, record.c.owner, record.c.operation)
        .where(
            record.c.month == month_of(source),
            record.c.submission_id == source,
            record.c.row_no >= between[0],
            record.c.row_no < between[1],
            record.c.idx.is_not(None),
        )
        .order_by(record.c.row_no)
    ).all()
    chosen = [one for one in records if one.row_no in rows]
    if not chosen:
        return Chosen(LegacyChunk((), {}, 0, []), [])
    content = contents.of(connection, source, seq)
    said = [_said(one, content.lines, content.common) for one in chosen]
    names = tuple(dict.fromkeys(name for one in said for name in one))
    columns = {name: [one.get(name, "") for one in said] for name in names}
    places = [one.place for one in chosen]
    made = LegacyChunk(names, columns, len(chosen), places, member=member)
    return Chosen(made, [one.row_no for one in chosen])


def _said(one: Any, lines: list[bytes], common: list[bytes] | None) -> dict[str, str]:
    if one.idx >= len(lines):
        raise BadConfiguration("the content of a record is not whole", what_zh="记录内容不完整")
    said = dict(_decode(lines[one.idx]))
    if common is not None:
        said |= _decode(common[one.idx])
    if one.owner:
        said["owner_org_code"] = one.owner
    said["cd_operation"] = "d" if one.operation == "d" else ""
    return said

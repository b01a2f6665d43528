"""Content that was altered in the ledger is seen, even by somebody who alters its digests alike."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import zstandard
from sqlalchemy import select, update

from hub.content_audit import Proved, prove
from hub.ledger.tables import chunk, record, record_head
from hub.packing import packed
from standards.digest import sm3
from tests.hub.cases.test_month import Month, at, rows


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    made = Month(tmp_path, at(9, 10))
    made.hand_over("plain", [*rows("punish_action", 3), *rows("punish_action", 1, set_date="不详")])
    yield made
    made.hub.ledger.close()


def proved(month: Month) -> Proved:
    return prove(month.hub.ledger, month.hub.seal, at(9, 1))


def alter(month: Month) -> bytes:
    """Change one letter of the first record's content; its new digest."""
    ledger, seal = month.hub.ledger, month.hub.seal
    with ledger.read() as connection:
        content, key_ref = connection.execute(select(chunk.c.content, chunk.c.key_ref)).one()
    lines = zstandard.ZstdDecompressor().decompress(seal.open(content, key_ref)).split(b"\n")
    lines[0] = lines[0].replace(b"1", b"2", 1)
    changed = seal.close(packed(b"\n".join(lines)))
    ledger.write(lambda c: c.execute(update(chunk).values(content=changed)))
    return sm3(lines[0])


def test_what_nobody_touched_is_as_it_was_judged(month: Month) -> None:
    found = proved(month)
    assert (found.chunks, found.records, found.altered, found.pruned) == (1, 4, 0, 0)
    assert prove(month.hub.ledger, month.hub.seal, at(9, 10) + timedelta(days=1)).chunks == 0


def test_altered_content_is_told_by_its_record(month: Month) -> None:
    alter(month)
    (fault,) = proved(month).faults
    assert (fault.row, fault.en) == (1, "the content is not what its digest says")


def test_content_that_is_no_content_any_more_is_told(month: Month) -> None:
    month.hub.ledger.write(lambda c: c.execute(update(chunk).values(content=b"nothing")))
    (fault,) = proved(month).faults
    assert fault.en.startswith("the content of chunk 0 is broken")


@pytest.mark.parametrize("table", [record, record_head], ids=lambda table: str(table.name))
def test_digests_altered_alike_are_not_those_of_the_journal_or_of_the_head(month: Month, table: Any) -> None:
    digest = alter(month)
    month.hub.ledger.write(lambda c: c.execute(update(record).where(record.c.row_no == 1).values(digest=digest)))
    if table is record_head:
        first = record_head.c.row_no == 1
        month.hub.ledger.write(lambda c: c.execute(update(record_head).where(first).values(digest=digest)))
    told = {fault.en for fault in proved(month).faults}
    assert ("the digests of this chunk are not those in the journal" in told) is True
    assert ("the head's digest was changed" in told) is (table is record)

"""What lookups filled into records where the sender left an element empty; beside the content and its digest."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import msgspec
from sqlalchemy import Connection, select

from hub.ledger import bulk
from hub.ledger.tables import filled
from hub.vault import Seal

_DECODER = msgspec.json.Decoder(dict[str, str])


def add(connection: Connection, seal: Seal, submission_id: UUID, fills: Mapping[int, Mapping[str, str]]) -> None:
    """Keep what was filled in, by row number."""
    bulk.insert(
        connection,
        filled,
        {
            "submission_id": submission_id,
            "row_no": list(fills),
            "content": [seal.close(msgspec.json.encode(values)) for values in fills.values()],
            "key_ref": seal.key_ref,
        },
        len(fills),
    )


def of_rows(
    connection: Connection, seal: Seal, submission_id: UUID, first: int, last: int
) -> dict[int, dict[str, str]]:
    """Row number -> what was filled in."""
    rows = connection.execute(
        select(filled.c.row_no, filled.c.content, filled.c.key_ref).where(
            filled.c.submission_id == submission_id, filled.c.row_no.between(first, last)
        )
    )
    return {row_no: _DECODER.decode(seal.open(content, key_ref)) for row_no, content, key_ref in rows}

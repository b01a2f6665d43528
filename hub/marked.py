"""A receipt as a workbook: the sender's own sheet with the faults marked at their cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import Any

from adapters.formats import open_records
from adapters.formats.base import LegacyChunk, ReadOptions
from adapters.workbook.mark import MAX_BYTES, mark
from adapters.workbook.marks import Fault
from adapters.workbook.sheet import WHOLE, sheet_of
from hub.generations import Generations
from hub.ledger import submissions
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.payload import LedgerPayload
from hub.receipts import Receipts
from hub.replay_trial import veiling
from hub.translate.chosen import chosen
from hub.vault import Seal
from standards.errors import BadRecord, HubError, UnknownName
from standards.places import in_words

#: Faults in one answer; the receipt itself has them all.
_MOST = 20_000
_PAGE = 5000


@dataclass(slots=True)
class Marked:
    """Makes the Excel answer of a hand-over."""

    ledger: Ledger
    generations: Generations
    receipts: Receipts
    seal: Seal

    def workbook(self, receipt_no: str, *, masked: bool = False) -> bytes:
        """The answer as .xlsx.  Raises UnknownName, or BadConfiguration when its content is no longer kept.

        `masked`: personal values are hidden; then it is a sheet of the rows, for a workbook holds more than its rows.
        """
        with self.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
        if found is None:
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
        faults = list(self._faults(receipt_no))
        payload = LedgerPayload(self.ledger, found, self.seal)
        if found.format == "workbook" and found.size <= MAX_BYTES and not masked:
            with closing(payload.seekable()) as file:
                own = mark(file, faults)
            if own is not None:
                return own
        rows = _numbered(self._rows(found, payload), found.read, faults)
        return sheet_of(self._masked(found, rows) if masked else rows, faults)

    def _masked(
        self, found: Submission, rows: Iterator[tuple[LegacyChunk, Sequence[int]]]
    ) -> Iterator[tuple[LegacyChunk, Sequence[int]]]:
        """The rows with personal values hidden; none where nobody can tell which they are."""
        with self.generations.plans.lent() as plans:
            try:
                plan = plans.plan(self.generations.current(), found.connection, found.dataset)
            except HubError:
                return
            for chunk, numbers in rows:
                hide = veiling(plan, chunk)
                columns = {name: [hide(name, value) for value in column] for name, column in chunk.columns.items()}
                yield replace(chunk, columns=columns), numbers

    def _rows(self, found: Submission, payload: LedgerPayload) -> Iterator[LegacyChunk]:
        """The hand-over's rows as they were read; as far as they can be."""
        generation = self.generations.current()
        try:
            settings = generation.connection(found.connection)
            file, _ = generation.file_of(found.connection, found.dataset)
            _, chunks = open_records(payload, ReadOptions.model_validate({**file.read, **settings.read}))
            yield from chunks
        except (BadRecord, HubError):
            return

    def _faults(self, receipt_no: str) -> Iterator[Fault]:
        after, told = 0, 0
        view = self.receipts.receipt(receipt_no, limit=_PAGE)
        while view is not None:
            document = view.document
            if after == 0:
                problem = document["problem"]
                if problem:
                    yield _about_all(problem)
                for note in document["notes"]:
                    yield _fault(note, 0, "整份报送")
            for record in document["records"]:
                for finding in record["findings"]:
                    told += 1
                    if told > _MOST:
                        return
                    place = finding["place"]
                    yield _fault(finding, record["row"], in_words(place) if place else f"第 {record['row']} 条")
            after = document.get("next", 0)
            if not after:
                return
            view = self.receipts.receipt(receipt_no, after=after, limit=_PAGE)


def _numbered(
    chunks: Iterator[LegacyChunk], count: int, faults: Sequence[Fault]
) -> Iterator[tuple[LegacyChunk, Sequence[int]]]:
    """All rows with their numbers; of many the faulty ones only, and none is read where none is faulty."""
    if count > WHOLE:
        wanted = frozenset(fault.row_no for fault in faults if fault.row_no)
        if wanted:
            yield from chosen(chunks, wanted)
        return
    first = 1
    for chunk in chunks:
        yield chunk, range(first, first + chunk.count)
        first += chunk.count


def _fault(finding: dict[str, Any], row: int, words: str) -> Fault:
    return Fault(
        row_no=row,
        place=finding["place"],
        place_words=words,
        element=finding["title"] or finding["element"],
        field=finding["field"],
        value=finding["value"],
        text=finding["text"],
        hint=finding["hint"],
        code=finding["code"],
        serious=finding["severity"] != "warning",
    )


def _about_all(problem: dict[str, Any]) -> Fault:
    return Fault(
        row_no=0,
        place="",
        place_words="整份报送",
        element="",
        field="",
        value="",
        text=problem.get("what_zh", ""),
        hint=problem.get("hint_zh", ""),
        code=problem.get("code", ""),
        serious=True,
    )

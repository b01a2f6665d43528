"""Attachments (证据, 全过程记录): kept once by their SM3, looked through by the site's scanner, named by records.

A record names one as `attachment:<id>` in an element for attachments; what its receiver gets is the route's matter.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from mimetypes import guess_type
from pathlib import Path
from typing import IO
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.generations import Generations
from hub.ledger import attachments, journal
from hub.ledger.attachments import Attachment
from hub.ledger.engine import Ledger
from hub.payload import PIECE, pack, unpack
from hub.settings import Attachments as Rules
from hub.vault import Seal
from standards.clock import Clock
from standards.digest import Sm3Stream, uuid7
from standards.errors import BadConfiguration, BadRecord, LedgerBusy, PayloadTooLarge, Temporary, UnknownName
from standards.parcel import AttachmentReference

log = structlog.get_logger()

#: Elements that name attachments, wherever a data set has them.
ELEMENTS = frozenset({"attachments", "evidence"})
_NAMED = re.compile(r"attachment:([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})")
_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+")
_FOUND = 1


class AttachmentRefused(BadRecord):
    """The scanner found something in it."""

    code = "attachment-refused"
    title_zh = "附件被拒收"
    title = "attachment refused"


def named(text: str) -> list[UUID]:
    """The attachments that a value names."""
    return [UUID(found) for found in _NAMED.findall(text)]


def reference(one: Attachment) -> AttachmentReference:
    """What is said of an attachment in a parcel."""
    return AttachmentReference(id=f"attachment:{one.id}", name=one.name, size=one.size, type=one.type, sm3=one.digest)


@dataclass(slots=True)
class Cabinet:
    """Takes attachments in and hands them out."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal

    def receive(
        self, connection: str, name: str, content_type: str, stream: Iterable[bytes], actor: str
    ) -> tuple[Attachment, bool]:
        """Keep an attachment; it, and whether it had been taken before.

        Raises PayloadTooLarge, AttachmentRefused, Temporary (the scanner does not work: nothing is kept), LedgerBusy.
        """
        generation = self.generations.current()
        party, rules = generation.connection(connection).party, generation.settings.attachments
        with tempfile.NamedTemporaryFile(prefix="attachment-") as spool:
            size, digest = _spool(stream, spool.file, rules.max_mb)
            with self.ledger.read() as read:
                known = attachments.with_digest(read, digest)
            twin = next((a for a in known if a.party == party and a.name == name), None)
            if twin is not None:
                return twin, True
            scan(rules, Path(spool.name))
            identifier = uuid7()
            bytes_id = known[0].bytes_id if known else identifier
            new = Attachment(
                id=identifier,
                bytes_id=bytes_id,
                party=party,
                connection=connection,
                name=name,
                type=_type_of(name, content_type),
                size=size,
                digest=digest,
                scanned=bool(rules.scan),
                created_at=self.clock.now(),
                created_by=actor,
            )
            self._keep(new, spool.file)
        return new, False

    def _keep(self, new: Attachment, spool: IO[bytes]) -> None:
        try:
            if new.bytes_id == new.id:
                spool.seek(0)
                number = 0
                while piece := spool.read(PIECE):
                    stored = pack(piece, self.seal)
                    self.ledger.write(
                        partial(
                            attachments.add_part,
                            bytes_id=new.id,
                            part=number,
                            data=stored,
                            key_ref=self.seal.key_ref,
                        )
                    )
                    number += 1
            detail = {"attachment": str(new.id), "size": new.size, "digest": new.digest, "connection": new.connection}
            entry = journal.Entry("attachment_kept", new.created_by, detail=detail)

            def work(db: Connection) -> None:
                attachments.add(db, new)
                journal.append(db, [entry], new.created_at)

            self.ledger.write(work)
        except BaseException:
            with suppress(LedgerBusy):
                self.ledger.write(lambda c: attachments.drop_parts(c, new.id))
            raise

    def fetch(self, identifier: UUID, party: str | None) -> tuple[Attachment, Iterator[bytes]]:
        """An attachment and its bytes; `party`: who asks, None for the operator.

        Raises UnknownName when there is none, or none for that party: for all they may know, that is the same.
        """
        with self.ledger.read() as connection:
            found = attachments.find(connection, [identifier]).get(identifier)
            may = found is not None and (
                party is None or found.party == party or attachments.is_granted(connection, identifier, party)
            )
        if found is None or not may:
            raise UnknownName(f"no attachment {identifier}", what_zh=f"没有编号为 {identifier} 的附件")
        return found, self._bytes(found)

    def _bytes(self, one: Attachment) -> Iterator[bytes]:
        with self.ledger.read() as connection:
            for data, key_ref in attachments.pieces(connection, one.bytes_id):
                yield unpack(data, key_ref, self.seal)


def scan(rules: Rules, path: Path) -> None:
    """Have the site's scanner look at a file.  Raises AttachmentRefused, Temporary, BadConfiguration."""
    if not rules.scan:
        return
    try:
        ended = subprocess.run(
            [*rules.scan, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=rules.scan_seconds.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Temporary("the scanner took too long", what_zh="附件扫描超时，请稍后重试") from error
    except OSError as error:
        raise BadConfiguration(
            f"the scanner cannot be run: {error.strerror}", what_zh="附件扫描程序无法运行", hint="attachments.scan"
        ) from error
    if ended.returncode == _FOUND:
        log.warning("the scanner refused an attachment", action="attachment_refused")
        raise AttachmentRefused(
            "the scanner refused it",
            what_zh="附件未通过安全扫描",
            hint="send a clean file",
            hint_zh="请清除病毒或可疑内容后重新提交",
        )
    if ended.returncode != 0:
        raise Temporary(f"the scanner failed ({ended.returncode})", what_zh="附件扫描程序出错，请稍后重试")


def _spool(stream: Iterable[bytes], spool: IO[bytes], max_mb: int) -> tuple[int, str]:
    digest, size = Sm3Stream(), 0
    for piece in stream:
        size += len(piece)
        if size > max_mb * 1024 * 1024:
            raise PayloadTooLarge(f"more than {max_mb} MB", what_zh=f"附件超过 {max_mb} MB", hint="attachments.max_mb")
        digest.update(piece)
        spool.write(piece)
    spool.flush()
    return size, digest.hexdigest()


def _type_of(name: str, content_type: str) -> str:
    """The type that was said, or that the name has."""
    said = content_type.partition(";")[0].strip().lower()
    if said in ("", "application/octet-stream") or not _TYPE.fullmatch(said):
        return guess_type(name)[0] or "application/octet-stream"
    return said[:120]


def names_of(columns: Mapping[str, list[str]], elements: Iterable[str], rows: Sequence[int]) -> dict[int, list[UUID]]:
    """Row -> the attachments its record names."""
    result: dict[int, list[UUID]] = {}
    for element in elements:
        column = columns.get(element)
        for row in rows if column is not None else ():
            if column is not None and "attachment:" in column[row]:
                result.setdefault(row, []).extend(named(column[row]))
    return result

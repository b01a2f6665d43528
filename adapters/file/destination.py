"""A folder that parcels are written into: each parcel one file, replaced when the same parcel comes again.

The file appears complete or not at all.  With a receipts folder the receiver's verdict is awaited: a file called like
the data file with an ending of its own, one JSON object a line for each record that was not simply accepted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import msgspec
import structlog

from adapters.base import Surroundings
from adapters.file.folder import Entry, Folder, LocalFolder, probe
from adapters.file.forms import ENDINGS, render, unfit
from adapters.file.looks import Looks
from adapters.file.settings import FileDestinationSettings
from adapters.file.where import open_folder
from adapters.outward import Rendering
from standards.clock import SHANGHAI, Clock, SystemClock
from standards.errors import AnswerNotUnderstood, BadSetup, ReceiverRefused
from standards.parcel import Answer, AnswerLine, Parcel, Result
from standards.ports import Awaited

log = structlog.get_logger()

#: A receipt is small; more than this is something else.
_LARGEST_RECEIPT = 64 * 1024 * 1024


class _Said(msgspec.Struct):
    cd_id: str
    result: Result = Result.ACCEPTED
    code: str = ""
    element: str = ""
    message: str = ""


_SAID = msgspec.json.Decoder(_Said)


class FileDestination:
    """Implements standards.ports.Destination."""

    def __init__(
        self,
        settings: FileDestinationSettings,
        around: Surroundings,
        *,
        folder: Folder | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._around = around
        self._folder: Folder = folder or open_folder(settings.folder, settings.sftp, around)
        self._clock = clock or SystemClock()
        self._looks = Looks(timedelta(seconds=settings.stable_seconds))
        self._rendering = Rendering(settings.forms, around)
        self._swept = False

    def deliver(self, parcel: Parcel) -> Answer:
        """Write the parcel's file."""
        self._sweep()
        formed = self._rendering.of(parcel) if parcel.dataset in self._settings.forms else None
        refused = list(formed.refused) if formed else unfit(parcel, self._settings.form)
        if refused:
            if self._settings.receipts_folder and len({line.cd_id for line in refused}) < len(parcel):
                raise _in_parts(refused)
            out = {line.cd_id for line in refused}
            parcel = replace(parcel, records=tuple(r for r in parcel.records if r.cd_id not in out))
        name = self.file_name(parcel)
        if parcel.records:
            pieces = [formed.body()] if formed else render(parcel, self._settings, self._around.standard)
            self._folder.write(name, pieces)
            if self._settings.marker:
                self._folder.write(name + self._settings.marker, ())
        awaiting = bool(self._settings.receipts_folder) and bool(parcel.records)
        return Answer(
            awaiting=awaiting,
            lines=tuple(refused),
            speaker=self._around.name,
            level=self._settings.level or self._around.level,
            detail={"file": name},
        )

    def file_name(self, parcel: Parcel) -> str:
        """What the parcel's file is called."""
        words = {
            "dataset": parcel.dataset,
            "version": parcel.version,
            "batch": parcel.batch,
            "parcel": str(parcel.id),
            "date": parcel.created_at.astimezone(SHANGHAI).strftime("%Y%m%d"),
            "provider": parcel.records[0].common.get("provider_code", "") if parcel.records else "",
            "origin": parcel.origin,
        }
        if "{table" in self._settings.name:
            words["table"] = self._around.standard.dataset(parcel.dataset, parcel.version).table
        name = self._settings.name.format(**words) + ENDINGS[self._rows_of(parcel.dataset)]
        if "/" in name or "\\" in name:
            raise BadSetup(f"the name pattern makes a path: {name}", what_zh=f"文件名规则产生了路径：{name}")
        return name

    def _rows_of(self, dataset: str) -> str:
        """What is in the file."""
        if dataset in self._settings.forms:
            return str(self._around.form(self._settings.forms[dataset]).file.wire.rows)
        return self._settings.form

    def collect(self, awaited: Sequence[Awaited]) -> Iterable[tuple[UUID, Answer]]:
        """Receipts that the receiver has put into the receipts folder."""
        if not self._settings.receipts_folder:
            return
        there = {e.name: e for e in self._quiet_receipts()}
        for parcel in awaited:
            found = next((e for name, e in there.items() if str(parcel.parcel_id) in name), None)
            if found is None:
                continue
            yield (
                parcel.parcel_id,
                Answer(
                    lines=tuple(self._lines(found)),
                    speaker=self._around.name,
                    level=self._settings.level or self._around.level,
                    receipt_no=found.name,
                ),
            )
            # Only now has the hub written it down.
            self._put_away(found.name)

    def _quiet_receipts(self) -> list[Entry]:
        entries = self._folder.entries(self._settings.receipts_folder)
        suffix = self._settings.receipt_suffix
        return self._looks.quiet_ones((e for e in entries if e.name.endswith(suffix)), self._clock.now())

    def _lines(self, entry: Entry) -> Iterator[AnswerLine]:
        if entry.size > _LARGEST_RECEIPT:
            raise AnswerNotUnderstood(f"the receipt {entry.name} is too large", what_zh=f"回执文件 {entry.name} 过大")
        yield from self._read(entry.name)

    def _read(self, name: str) -> Iterator[AnswerLine]:
        try:
            text = b"".join(self._folder.read(f"{self._settings.receipts_folder}/{name}")).removeprefix(b"\xef\xbb\xbf")
        except (FileNotFoundError, PermissionError) as error:
            raise BadSetup(
                f"the receipt {name} cannot be read ({error.strerror})", what_zh=f"回执文件 {name} 无法读取"
            ) from error
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip():
                continue
            try:
                said = _SAID.decode(line)
            except msgspec.MsgspecError as error:
                raise AnswerNotUnderstood(
                    f"{name}, line {number}: {error}",
                    what_zh=f"回执文件 {name} 第 {number} 行格式无法识别",
                    hint='one object a line: {"cd_id": …, "result": "accepted|refused|duplicate|stale", …}',
                ) from error
            yield AnswerLine(
                cd_id=said.cd_id, result=said.result, code=said.code, element=said.element, message=said.message
            )

    def _put_away(self, name: str) -> None:
        within = self._settings.receipts_folder
        self._folder.make(f"{within}/done")
        try:
            self._folder.remove(f"{within}/done/{name}")
            self._folder.move(f"{within}/{name}", f"{within}/done/{name}")
        except FileNotFoundError:
            return
        except PermissionError as error:
            log.warning("a receipt cannot be put away", action="receipt_stuck", file=name, why=error.strerror)

    def stored(self, parcel: Parcel) -> bool | None:
        """Whether its file is there; when it is not, the receiver may have taken it, and nobody can tell."""
        return True if self._folder.entry(self.file_name(parcel)) is not None else None

    def check(self) -> str:
        """List the folder, and create and remove a file."""
        count = len(self._folder.entries())
        probe(self._folder)
        said, said_en = f"{self._folder}：可写，现有 {count} 个文件", f"can be written, {count} files there"
        if self._settings.receipts_folder:
            waiting = len(self._folder.entries(self._settings.receipts_folder))
            probe(self._folder, self._settings.receipts_folder)
            said += f"；回执目录可读写，现有 {waiting} 个文件"
            said_en += f"; receipts folder can be used, {waiting} files there"
        return f"{said} ({said_en})"

    def _sweep(self) -> None:
        if not self._swept and isinstance(self._folder, LocalFolder):
            self._folder.sweep()
            self._swept = True

    def close(self) -> None:
        """Hang up, where the folder is on a server."""
        self._folder.close()


def _in_parts(refused: Sequence[AnswerLine]) -> ReceiverRefused:
    """Some records do not fit, and the verdict on the others comes later: the hub sends smaller parcels, until those
    that do not fit are alone and those that fit can be awaited."""
    first = refused[0]
    return ReceiverRefused(
        f"{len({line.cd_id for line in refused})} records do not fit the form of the file",
        what_zh=first.message,
        params={"code": first.code, "element": first.element},
    )

"""A folder that a party puts files into: each is handed over once, and its receipt is put beside it.

    offered    remembered under a new id, so that a crash before the next step repeats the same hand-over
    taken      the hub has the bytes and gave a receipt number; the file moves to `work`
    judged     receipts are written, the file moves to `done` or `failed`; both follow later versions

The id belongs to one putting-in, not to the content: the same file put in again is a hand-over of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import uuid4

import structlog

from adapters.base import Surroundings
from adapters.file.folder import Entry, Folder, probe
from adapters.file.looks import Looks, marker_of, wanted
from adapters.file.remembered import Held, Remembered
from adapters.file.settings import FileSourceSettings
from adapters.file.slips import (
    MARKED,
    RECEIPT_JSON,
    RECEIPT_TEXT,
    REFUSAL,
    SLIPS,
    as_json,
    as_text,
    numbered,
    refusal,
    shown,
)
from adapters.file.where import open_folder
from standards.clock import Clock, SystemClock, local_text
from standards.errors import (
    BadRecord,
    BadSetup,
    HubError,
    IdempotencyConflict,
    LedgerBusy,
    UnreadablePayload,
)
from standards.ports import HandOver, ReceiptView, SourceContext

log = structlog.get_logger()

#: Receipts that are complete are looked at ever more seldom, at last once in so long.
_SELDOM = timedelta(hours=1)
_WORKBOOKS = (".xlsx", ".xlsm", ".xls", ".et")
_UNJUDGED = timedelta(minutes=1)


class _Changed(Exception):
    """The sender wrote to the file while it was being read."""


class FileSource:
    """Implements standards.ports.Source."""

    def __init__(
        self,
        settings: FileSourceSettings,
        around: Surroundings,
        *,
        folder: Folder | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.pause = timedelta(seconds=settings.pause_seconds)
        self._settings = settings
        self._name = around.name
        self._folder: Folder = folder or open_folder(settings.folder, settings.sftp, around)
        self._clock = clock or SystemClock()
        self._looks = Looks(timedelta(seconds=settings.stable_seconds))
        self._files = Remembered()
        self._look_at: dict[str, datetime] = {}
        self._complaints: list[HubError] = []

    def run_once(self, context: SourceContext) -> int:
        """Take what is complete and bring back what was judged."""
        self._complaints.clear()
        for within in (self._settings.work, self._settings.done, self._settings.failed):
            self._folder.make(within)
        self._files.begin(context.memory)
        done = self._take_all(context) + self._bring_back(context)
        if self._complaints and not done:
            raise self._complaints[0]
        for complaint in self._complaints:
            log.warning("a file cannot be moved", action="file_stuck", connection=self._name, why=complaint.what)
        return done

    def check(self) -> str:
        """List the folder, and create, rename and remove a file in each folder."""
        entries = self._folder.entries()
        waiting = [e for e in entries if wanted(e.name, self._settings.patterns, self._settings.ignore)]
        for within in ("", self._settings.work, self._settings.done, self._settings.failed):
            if within:
                self._folder.make(within)
            probe(self._folder, within)
        self._try_renames()
        if self._settings.receipts_folder:
            self._folder.make(self._settings.receipts_folder)
            probe(self._folder, self._settings.receipts_folder)
        return (
            f"{self._folder}：{len(waiting)} 个文件待取，可读、可写、可改名"
            f" ({len(waiting)} files waiting; can be read, written and renamed)"
        )

    def _try_renames(self) -> None:
        """All folders lie on one file system."""
        name = f".hub-check.{uuid4().hex[:8]}.tmp"
        way = [name, *(f"{w}/{name}" for w in (self._settings.work, self._settings.done, self._settings.failed))]
        self._folder.write(name, [b"check"])
        place = name
        try:
            for target in way[1:]:
                self._folder.move(place, target)
                place = target
        except (FileNotFoundError, PermissionError) as error:
            raise BadSetup(f"{place} cannot be renamed: {error.strerror}", what_zh=f"{place} 无法改名") from error
        finally:
            self._folder.remove(place)

    def close(self) -> None:
        """Hang up, where the folder is on a server."""
        self._folder.close()

    # Taking

    def _take_all(self, context: SourceContext) -> int:
        entries = self._folder.entries()
        found = [e for e in entries if wanted(e.name, self._settings.patterns, self._settings.ignore)]
        names = [e.name for e in entries]
        markers: dict[str, str] = {}
        if self._settings.markers:
            endings = tuple(m.lower() for m in self._settings.markers)
            found = [e for e in found if not e.name.lower().endswith(endings)]
            pairs = ((e.name, marker_of(e.name, self._settings.markers, names)) for e in found)
            markers = {name: marker for name, marker in pairs if marker is not None}
            found = [e for e in found if e.name in markers]
        ready = self._looks.quiet_ones(found, self._clock.now())
        ready.sort(key=(lambda e: (e.modified_ns, e.name)) if self._settings.order == "time" else (lambda e: e.name))
        self._forget_offers(context, {e.name for e in entries})
        done = 0
        for entry in ready[: self._settings.max_files]:
            done += self._take(context, entry, markers.get(entry.name))
        return done

    def _forget_offers(self, context: SourceContext, names: set[str]) -> None:
        """Files that are no longer there: moved before that was written down, or taken away by somebody."""
        for held in self._files.all():
            if held.place or held.name in names:
                continue
            if held.receipt_no:
                held.place = self._settings.work
                self._files.keep(context.memory, held)
            else:
                log.warning("an offered file is gone", action="file_gone", connection=self._name, file=shown(held.name))
                self._files.drop(context.memory, held)

    def _take(self, context: SourceContext, entry: Entry, marker: str | None) -> int:
        held = self._files.offered(entry.name)
        if held is not None and held.receipt_no and not self._was_moved(held, entry):
            return self._to_work(context, held, marker)  # only the move is missing
        if held is None or not held.same_file(entry) or held.receipt_no:
            self._let_go(context, held)
            held = self._offer(context, entry)
        try:
            if entry.size == 0:
                raise UnreadablePayload(
                    "the file is empty",
                    what_zh="文件为空（0 字节）",
                    hint="export it again and look into it before it is put in",
                    hint_zh="请重新导出，打开确认有内容后再放入",
                )
            self._hand_over(context, held, entry)
        except (FileNotFoundError, _Changed):
            self._files.drop(context.memory, held)
            return 0
        except PermissionError as error:
            unreadable = UnreadablePayload(
                f"the hub may not read the file ({error.strerror})",
                what_zh="枢纽没有读取该文件的权限",
                hint="give the hub's account the right to read it, then put it in again",
                hint_zh="请为枢纽运行账号开放该文件的读取权限后重新放入",
            )
            return self._refuse(context, held, unreadable, marker)
        except BadRecord as error:
            return self._refuse(context, held, error, marker)
        return self._to_work(context, held, marker)

    def _offer(self, context: SourceContext, entry: Entry) -> Held:
        held = Held(
            token=uuid4().hex,
            name=entry.name,
            size=entry.size,
            modified_ns=entry.modified_ns,
            kept_as=self._free_name(entry.name),
            offered_at=self._clock.now().isoformat(),
        )
        self._files.keep(context.memory, held)
        return held

    def _was_moved(self, held: Held, entry: Entry) -> bool:
        """Whether the taken file is in `work` already, or was replaced: then this entry is another one."""
        return not held.same_file(entry) or self._folder.entry(f"{self._settings.work}/{held.kept_as}") is not None

    def _let_go(self, context: SourceContext, held: Held | None) -> None:
        """Another file lies in the place of a remembered one."""
        if held is None:
            return
        if held.receipt_no:
            held.place = self._settings.work
            self._files.keep(context.memory, held)
        else:
            self._files.drop(context.memory, held)

    def _hand_over(self, context: SourceContext, held: Held, entry: Entry) -> None:
        for _ in range(2):
            hand_over = HandOver(
                connection=context.connection, external_id=held.token, name=shown(entry.name), actor="folder"
            )
            try:
                taken = context.intake.receive(hand_over, self._pieces(entry))
            except IdempotencyConflict:
                # Offered before a crash, then overwritten by a file of the same size and time: it is another one.
                self._files.drop(context.memory, held)
                held.token = uuid4().hex
                self._files.keep(context.memory, held)
                continue
            held.receipt_no = taken.receipt_no
            self._files.keep(context.memory, held)
            log.info(
                "file taken",
                action="file_taken",
                connection=self._name,
                receipt_no=taken.receipt_no,
                repeated=taken.repeated,
                size=entry.size,
            )
            return
        raise LedgerBusy("the hub gave two conflicts in a row", what_zh="报送编号连续冲突，稍后再试")

    def _pieces(self, entry: Entry) -> Iterator[bytes]:
        """The bytes, and at the end a look whether they are still those of the file.

        The intake commits only after the last piece, so that a torn file is never kept.
        """
        read = 0
        for piece in self._folder.read(entry.name):
            read += len(piece)
            if read > entry.size:
                raise _Changed  # and it may grow as fast as it is read
            yield piece
        now = self._folder.entry(entry.name)
        if now is None or (now.size, now.modified_ns) != (entry.size, entry.modified_ns) or read != entry.size:
            raise _Changed

    def _to_work(self, context: SourceContext, held: Held, marker: str | None) -> int:
        self._make_way(context, held, held.name, self._settings.work)
        if not self._moved(held.name, f"{self._settings.work}/{held.kept_as}"):
            return 0
        held.place = self._settings.work
        self._files.keep(context.memory, held)
        if marker:
            self._folder.remove(marker)
        return 1

    def _make_way(self, context: SourceContext, held: Held, source: str, place: str) -> None:
        """Somebody put a file of this name where ours goes: theirs stays, ours gets another name."""
        if self._folder.entry(f"{place}/{held.kept_as}") is None or self._folder.entry(source) is None:
            return
        old, held.kept_as = held.kept_as, self._free_name(held.name)
        if source != held.name:
            self._moved(source, f"{source.removesuffix(old)}{held.kept_as}")
        self._files.keep(context.memory, held)

    def _moved(self, source: str, target: str) -> bool:
        """Rename; a file that was moved before a crash, or taken away by somebody, is no trouble.

        A missing right is a complaint, told when the round is over: the other files go on.
        """
        try:
            self._folder.move(source, target)
        except FileNotFoundError:
            return True
        except FileExistsError:
            return self._folder.entry(source) is None
        except PermissionError as error:
            self._complaints.append(
                BadSetup(
                    f"{shown(source)} cannot be moved to {shown(target)} ({error.strerror})",
                    what_zh=f"文件 {shown(source)} 无法移动到 {shown(target)}",
                    hint="give the hub's account the right to rename and remove files of this folder",
                    hint_zh="请授予枢纽运行账号在该目录改名、删除文件的权限",
                )
            )
            return False
        return True

    def _free_name(self, name: str) -> str:
        """A name that no file and no slip has in any of the folders."""
        taken = self._files.names()
        for number in count(1):
            candidate = numbered(name, number)
            if candidate.lower() not in taken and not any(self._folder.entry(p) for p in self._places(candidate)):
                return candidate
        raise AssertionError

    def _places(self, name: str) -> Iterator[str]:
        s = self._settings
        yield f"{s.work}/{name}"
        for within in dict.fromkeys((s.done, s.failed, s.receipts_folder or s.done)):
            yield f"{within}/{name}"
            yield from (f"{within}/{name}{slip}" for slip in SLIPS)

    def _refuse(self, context: SourceContext, held: Held, error: HubError, marker: str | None) -> int:
        now = local_text(self._clock.now())
        self._make_way(context, held, held.name, self._settings.failed)
        text = as_text(refusal(shown(held.name), error, now), self._settings.text_encoding)
        self._slip(self._settings.failed, held.kept_as + REFUSAL, text)
        log.warning("file refused", action="file_refused", connection=self._name, code=error.code)
        if not self._moved(held.name, f"{self._settings.failed}/{held.kept_as}"):
            return 0
        self._files.drop(context.memory, held)
        if marker:
            self._folder.remove(marker)
        return 1

    # Bringing back

    def _bring_back(self, context: SourceContext) -> int:
        now = self._clock.now()
        done = 0
        for held in self._files.all():
            if not held.place or self._look_at.get(held.token, now) > now:
                continue
            view = context.receipts.receipt(held.receipt_no)
            if view is not None and view.judged and (view.version, view.state) != (held.version, held.state):
                done += self._put_back(context, held, view, now)
            self._look_at[held.token] = now + self._wait(held, now)
            if held.state == "settled" and held.age(now) > self._settings.watch_days * 86_400:
                self._files.drop(context.memory, held)
                self._look_at.pop(held.token, None)
        return done

    def _wait(self, held: Held, now: datetime) -> timedelta:
        """The older, the longer."""
        longest = _SELDOM if held.judged_at else max(_UNJUDGED, self.pause)
        return min(longest, max(self.pause, timedelta(seconds=held.age(now) / 20)))

    def _put_back(self, context: SourceContext, held: Held, view: ReceiptView, now: datetime) -> int:
        """Receipts first, the file after: who sees the file finds its receipt."""
        well = not view.rejected and not view.held and not view.document.get("problem")
        place = self._settings.done if well else self._settings.failed
        if place != held.place:
            self._make_way(context, held, f"{held.place}/{held.kept_as}", place)
        slips: dict[str, Callable[[], bytes]] = {
            RECEIPT_JSON: lambda: as_json(view.document),
            RECEIPT_TEXT: lambda: as_text(context.receipts.words(view.receipt_no), self._settings.text_encoding),
        }
        if not well and "xlsx" in self._settings.receipts and (marked := _marked(context, held, view)):
            slips[MARKED] = lambda: marked
        for ending, make in slips.items():
            if ending.rpartition(".")[2] in self._settings.receipts:
                self._slip(place, held.kept_as + ending, make())
        if place != held.place:
            if not self._moved(f"{held.place}/{held.kept_as}", f"{place}/{held.kept_as}"):
                return 0
            if held.place != self._settings.work and not self._settings.receipts_folder:
                for ending in (*slips, MARKED):
                    self._folder.remove(f"{held.place}/{held.kept_as}{ending}")
        held.place, held.version, held.state = place, view.version, view.state
        held.judged_at = held.judged_at or now.astimezone(UTC).isoformat()
        self._files.keep(context.memory, held)
        return 1

    def _slip(self, place: str, name: str, content: bytes) -> None:
        within = self._settings.receipts_folder or place
        self._folder.make(within)
        self._folder.write(f"{within}/{name}", [content])


def _marked(context: SourceContext, held: Held, view: ReceiptView) -> bytes:
    """The sender's own workbook with the faults at their cells; empty where there is none."""
    if context.marked is None or not held.name.lower().endswith(_WORKBOOKS):
        return b""
    try:
        return context.marked.workbook(view.receipt_no)
    except HubError as error:  # its content is no longer kept; the receipt says everything too
        log.info("no marked workbook", action="not_marked", connection=context.connection, why=error.what)
        return b""

"""A folder that a party puts files into: each is handed over once and whole, and its receipt comes back beside it."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.conformance import SourceConformance
from adapters.conformance.fakes import Hub
from adapters.conformance.parcels import NOW, around
from adapters.file import FileSource, FileSourceSettings
from adapters.file.folder import LocalFolder
from standards.clock import FrozenClock
from standards.errors import BadSetup, LedgerBusy, PayloadTooLarge
from tests.adapters.file.rigs import SharedFolder, without_rights

QUIET = timedelta(seconds=10)


class Bureau:
    """A folder, the source that looks into it, and a hub that takes what it finds."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.root = root
        self.clock = FrozenClock(NOW)
        self.hub = Hub()
        self.settings = FileSourceSettings(folder=str(root), **settings)
        self.folder = SharedFolder(str(root))
        self.restart()

    def restart(self) -> None:
        """Another process takes over; only the hub's memory is left."""
        self.source = FileSource(self.settings, around("ecology"), folder=self.folder, clock=self.clock)

    def put(self, name: str | bytes, content: bytes = b"a,b\n1,2\n") -> Path:
        path = self.root / os.fsdecode(name)
        path.write_bytes(content)
        return path

    def look(self) -> int:
        return self.source.run_once(self.hub.context())

    def take(self) -> int:
        """Two looks, far enough apart."""
        self.look()
        self.clock.forward(QUIET)
        return self.look()

    def bring_back(self) -> None:
        """Long enough that every receipt is looked at."""
        self.clock.forward(timedelta(hours=2))
        self.look()

    def taken(self) -> list[tuple[str, bytes]]:
        return [(k.hand_over.name, k.body) for k in self.hub.intake.kept]

    def inside(self, within: str = "") -> set[str]:
        return {p.name for p in (self.root / within).iterdir() if p.is_file()}


@pytest.fixture
def bureau(tmp_path: Path) -> Bureau:
    """A folder that exists."""
    return Bureau(tmp_path)


def test_a_file_is_taken_when_it_has_not_changed_over_two_looks(bureau: Bureau) -> None:
    path = bureau.put("案件.csv", b"half")

    bureau.look()
    bureau.clock.forward(QUIET)
    path.write_bytes(b"half and more")
    assert bureau.look() == 0
    bureau.clock.forward(QUIET / 2)
    assert bureau.look() == 0
    bureau.clock.forward(QUIET / 2)

    assert bureau.look() == 1
    assert bureau.taken() == [("案件.csv", b"half and more")]
    assert bureau.inside("work") == {"案件.csv"}
    assert bureau.inside() == set()


def test_a_file_that_grows_while_it_is_read_is_not_taken_torn(bureau: Bureau) -> None:
    path = bureau.put("a.csv", b"one\n")
    read = LocalFolder.read

    class Growing(SharedFolder):
        def read(self, name: str) -> Iterator[bytes]:
            for piece in read(self, name):
                yield piece
                with path.open("ab") as file:
                    file.write(b"two\n")

    bureau.folder = Growing(str(bureau.root))
    bureau.restart()

    assert bureau.take() == 0
    assert bureau.taken() == []
    bureau.folder = SharedFolder(str(bureau.root))
    bureau.restart()
    bureau.take()
    assert bureau.taken() == [("a.csv", b"one\ntwo\n")]


@pytest.mark.parametrize("name", [".a.csv", "~$a.xlsx", "a.csv.part", "a.csv.filepart", "a.tmp", "a.csv~"])
def test_a_name_that_says_unfinished_is_left_alone(bureau: Bureau, name: str) -> None:
    bureau.put(name)

    assert bureau.take() == 0
    assert bureau.inside() == {name}


def test_with_markers_a_file_waits_for_its_marker(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, markers=(".ok",), stable_seconds=0)
    bureau.put("a.csv")
    bureau.put("b.csv")
    bureau.put("b.OK", b"")

    bureau.look()

    assert [name for name, _ in bureau.taken()] == ["b.csv"]
    assert bureau.inside() == {"a.csv"}
    bureau.put("a.csv.ok", b"")
    bureau.look()
    assert bureau.inside() == set()


def test_what_was_judged_goes_to_done_or_failed_with_its_receipts(bureau: Bureau) -> None:
    bureau.put("好.csv")
    bureau.put("坏.csv", b"other")
    bureau.take()
    numbers = {k.hand_over.name: k.receipt_no for k in bureau.hub.intake.kept}
    bureau.hub.receipts.judge(numbers["好.csv"], accepted=9, duplicate=1)
    bureau.hub.receipts.judge(numbers["坏.csv"], accepted=9, rejected=1)

    bureau.bring_back()

    assert bureau.inside("work") == set()
    assert bureau.inside("done") == {"好.csv", "好.csv.回执.json", "好.csv.回执.txt"}
    assert bureau.inside("failed") == {"坏.csv", "坏.csv.回执.json", "坏.csv.回执.txt"}
    text = (bureau.root / "failed" / "坏.csv.回执.txt").read_bytes()
    assert text.startswith(b"\xef\xbb\xbf")
    assert "通过 9，退回 1\r\n" in text.decode("utf-8-sig")
    assert json.loads((bureau.root / "done" / "好.csv.回执.json").read_bytes())["counts"]["accepted"] == 9


def test_a_higher_level_that_changes_its_mind_changes_receipt_and_folder(bureau: Bureau) -> None:
    bureau.put("a.csv")
    bureau.take()
    [kept] = bureau.hub.intake.kept
    bureau.hub.receipts.judge(kept.receipt_no, accepted=1)
    bureau.bring_back()
    assert "a.csv" in bureau.inside("done")

    bureau.hub.receipts.judge(kept.receipt_no, version=2, state="settled", rejected=1)
    bureau.bring_back()

    assert bureau.inside("done") == set()
    assert bureau.inside("failed") == {"a.csv", "a.csv.回执.json", "a.csv.回执.txt"}
    assert "第 2 版" in (bureau.root / "failed" / "a.csv.回执.txt").read_text("utf-8-sig")


def test_the_same_file_put_in_again_is_a_hand_over_of_its_own_and_no_file_is_lost(bureau: Bureau) -> None:
    for _ in range(3):
        bureau.put("a.csv")
        bureau.take()

    ids = {k.hand_over.external_id for k in bureau.hub.intake.kept}
    assert len(ids) == len(bureau.hub.intake.kept) == 3
    assert bureau.inside("work") == {"a.csv", "a(2).csv", "a(3).csv"}
    for kept in bureau.hub.intake.kept:
        bureau.hub.receipts.judge(kept.receipt_no, duplicate=1)
    bureau.bring_back()
    assert {n for n in bureau.inside("done") if n.endswith(".csv")} == {"a.csv", "a(2).csv", "a(3).csv"}


def test_a_file_of_that_name_in_done_is_not_overwritten(bureau: Bureau) -> None:
    bureau.take()
    (bureau.root / "done" / "a.csv").write_bytes(b"of long ago")
    bureau.put("a.csv")
    bureau.take()
    bureau.hub.receipts.judge("R0001", accepted=1)

    bureau.bring_back()

    assert (bureau.root / "done" / "a.csv").read_bytes() == b"of long ago"
    assert "a(2).csv" in bureau.inside("done")


def test_a_crash_after_the_hubs_commit_makes_no_second_hand_over(bureau: Bureau) -> None:
    bureau.put("a.csv")
    bureau.hub.intake.crashes_after_commit = True
    with pytest.raises(KeyboardInterrupt):
        bureau.take()

    bureau.hub.intake.crashes_after_commit = False
    bureau.restart()
    bureau.take()

    assert len(bureau.hub.intake.kept) == 1
    assert bureau.inside("work") == {"a.csv"}


@pytest.mark.parametrize("step", range(1, 12))
def test_a_crash_at_any_step_loses_nothing_and_repeats_nothing(tmp_path: Path, step: int) -> None:
    bureau = Bureau(tmp_path)
    bureau.put("a.csv", b"1")
    bureau.put("b.csv", b"2")
    bureau.look()
    bureau.clock.forward(QUIET)
    plug = _Plug(bureau, step)

    for _ in range(3):
        try:
            bureau.take()
            for kept in bureau.hub.intake.kept:
                bureau.hub.receipts.judge(kept.receipt_no, accepted=1)
            bureau.bring_back()
        except KeyboardInterrupt:
            bureau.restart()

    assert plug.pulled
    assert sorted(bureau.taken()) == [("a.csv", b"1"), ("b.csv", b"2")]
    assert bureau.inside() == bureau.inside("work") == bureau.inside("failed") == set()
    endings = ("", ".回执.json", ".回执.txt")
    assert bureau.inside("done") == {f"{name}{e}" for name in ("a.csv", "b.csv") for e in endings}


class _Plug:
    """Ends the process once, after the n-th thing that was written to memory or folder."""

    def __init__(self, bureau: Bureau, step: int) -> None:
        self.left = step
        self.pulled = False
        memory, folder = bureau.hub.memory, bureau.folder
        for thing, name in ((memory, "remember"), (folder, "move"), (folder, "write")):
            setattr(thing, name, self._watched(getattr(thing, name)))

    def _watched(self, call: Any) -> Any:
        def watched(*words: Any) -> Any:
            done = call(*words)
            self.left -= 1
            if self.left == 0:
                self.pulled = True
                raise KeyboardInterrupt
            return done

        return watched


def test_names_in_gbk_are_taken_and_shown_and_answered(bureau: Bureau) -> None:
    name = "处罚决定".encode("gb18030") + b"\xfe\x59.csv"
    bureau.put(name)
    bureau.take()
    bureau.hub.receipts.judge("R0001", accepted=1)

    bureau.bring_back()

    assert bureau.taken()[0][0] == "处罚决定龴.csv"
    there = {os.fsencode(n) for n in bureau.inside("done")}
    assert there == {name, name + ".回执.json".encode(), name + ".回执.txt".encode()}


def test_a_name_too_long_for_its_receipt_is_cut(bureau: Bureau) -> None:
    bureau.put("名" * 83 + ".csv")
    bureau.take()
    bureau.hub.receipts.judge("R0001", accepted=1)

    bureau.bring_back()

    assert len(bureau.inside("done")) == 3
    assert bureau.inside("work") == set()


def test_an_empty_file_and_one_that_the_hub_refuses_are_told_why_in_chinese(bureau: Bureau) -> None:
    bureau.put("空.csv", b"")
    bureau.take()
    bureau.put("大.csv", b"x")
    bureau.hub.intake.refuses = PayloadTooLarge(
        "the file has 3 MB, 1 MB are allowed", what_zh="文件 3 MB，超过上限 1 MB", hint_zh="请分成几个文件"
    )
    bureau.take()

    assert bureau.inside("failed") == {"空.csv", "空.csv.退回.txt", "大.csv", "大.csv.退回.txt"}
    empty = (bureau.root / "failed" / "空.csv.退回.txt").read_text("utf-8-sig")
    large = (bureau.root / "failed" / "大.csv.退回.txt").read_text("utf-8-sig")
    assert "文件为空" in empty
    assert "处理办法：" in empty
    assert "超过上限 1 MB" in large
    assert "请分成几个文件" in large
    assert bureau.taken() == []


def test_when_the_hub_cannot_take_it_now_the_file_stays_and_comes_later(bureau: Bureau) -> None:
    bureau.put("a.csv")
    bureau.hub.intake.refuses = LedgerBusy("no", what_zh="账本忙")

    with pytest.raises(LedgerBusy):
        bureau.take()

    assert bureau.inside() == {"a.csv"}
    bureau.hub.intake.refuses = None
    bureau.look()
    assert bureau.inside("work") == {"a.csv"}


def test_a_link_does_not_hand_over_what_lies_outside(bureau: Bureau, tmp_path_factory: pytest.TempPathFactory) -> None:
    secret = tmp_path_factory.mktemp("elsewhere") / "secret.csv"
    secret.write_bytes(b"secret")
    (bureau.root / "a.csv").symlink_to(secret)

    bureau.take()

    assert bureau.taken() == []


def test_a_file_without_the_right_to_read_is_refused_and_its_neighbour_is_taken() -> None:
    with without_rights() as root:
        bureau = Bureau(root)
        bureau.put("a.csv").chmod(0o000)
        bureau.put("b.csv")

        bureau.take()

        assert [name for name, _ in bureau.taken()] == ["b.csv"]
        assert "没有读取该文件的权限" in (root / "failed" / "a.csv.退回.txt").read_text("utf-8-sig")


def test_a_folder_without_the_right_to_rename_hands_over_once_and_says_so() -> None:
    with without_rights() as root:
        bureau = Bureau(root)
        bureau.look()
        bureau.put("a.csv")
        root.chmod(0o500)

        bureau.look()
        bureau.clock.forward(QUIET)
        for _ in range(3):
            with pytest.raises(BadSetup) as caught:
                bureau.look()
            bureau.clock.forward(QUIET)

        assert len(bureau.taken()) == 1
        assert "无法移动" in caught.value.what_zh
        root.chmod(0o700)
        bureau.look()
        assert bureau.inside("work") == {"a.csv"}
        assert len(bureau.taken()) == 1


def test_an_unwritable_folder_is_found_by_the_connection_test() -> None:
    with without_rights() as root:
        bureau = Bureau(root)
        assert "可写" in bureau.source.check() or "可读、可写、可改名" in bureau.source.check()
        root.chmod(0o500)

        with pytest.raises(BadSetup) as caught:
            bureau.source.check()

        assert "没有权限" in caught.value.what_zh


def test_a_folder_that_is_not_there_is_the_operators_business(bureau: Bureau) -> None:
    source = FileSource(
        bureau.settings.model_copy(update={"folder": str(bureau.root / "nowhere")}), around(), clock=bureau.clock
    )

    for call in (lambda: source.run_once(bureau.hub.context()), source.check):
        with pytest.raises(BadSetup) as caught:
            call()
        assert "不存在" in caught.value.what_zh


def test_a_large_file_is_read_in_pieces(bureau: Bureau) -> None:
    bureau.put("a.csv", b"0123456789abcdef" * 300_000)

    bureau.take()

    assert len(bureau.taken()[0][1]) == 4_800_000
    assert bureau.hub.intake.largest_piece <= 1024 * 1024


def test_receipts_are_looked_at_ever_more_seldom(bureau: Bureau) -> None:
    bureau.put("a.csv")
    bureau.take()
    bureau.hub.receipts.judge("R0001", accepted=1)
    bureau.bring_back()
    asked = [bureau.hub.receipts.asked]

    for _day in range(2):
        for _ in range(24 * 12):
            bureau.clock.forward(timedelta(minutes=5))
            bureau.look()
        asked.append(bureau.hub.receipts.asked)

    assert asked[1] - asked[0] < 80
    assert 20 <= asked[2] - asked[1] <= 24


def test_what_is_settled_is_forgotten_after_the_days_of_watching(tmp_path: Path) -> None:
    bureau = Bureau(tmp_path, watch_days=1)
    bureau.put("a.csv")
    bureau.take()
    bureau.hub.receipts.judge("R0001", state="settled", accepted=1)
    bureau.bring_back()

    bureau.clock.forward(timedelta(days=2))
    bureau.look()

    assert bureau.hub.memory.names("file:") == []


class FolderRig:
    """A mounted folder that a party puts files into."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder = SharedFolder(str(root))
        self.clock = FrozenClock(NOW)
        self.count = 0

    def open(self) -> FileSource:
        settings = FileSourceSettings(folder=str(self.root))
        return FileSource(settings, around("ecology"), folder=self.folder, clock=self.clock)

    def put(self) -> bytes:
        self.count += 1
        mark = f"R-{self.count:03}"
        (self.root / f"{mark}.csv").write_bytes(b"a,b\n1," + mark.encode() + b"\n")
        return mark.encode()

    def wait(self) -> None:
        self.clock.forward(QUIET)

    def take_away(self) -> None:
        self.folder.away = True

    def bring_back(self) -> None:
        self.folder.away = False

    def close(self) -> None:
        pass


@pytest.mark.contract(suite="source", on="file")
class TestFile(SourceConformance):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> FolderRig:
        return FolderRig(tmp_path)

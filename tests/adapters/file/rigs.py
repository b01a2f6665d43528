"""Folders that fail when they are told to, and receivers that fetch files from them."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

import pytest
from lxml import etree

from adapters.conformance import Stored
from adapters.conformance.parcels import PROVIDER, around, clock
from adapters.file import FileDestination, FileDestinationSettings
from adapters.file import folder as folders
from adapters.file.folder import Entry, LocalFolder, in_our_words
from standards.digest import cd_id
from standards.xml import parse

#: The user without rights.
_NOBODY = 65534


class SharedFolder(LocalFolder):
    """A mounted folder whose server can be away."""

    def __init__(self, root: str) -> None:
        super().__init__(root)
        self.away = False

    def _there(self) -> None:
        if self.away:
            raise in_our_words(OSError(errno.ESTALE, os.strerror(errno.ESTALE)), str(self))

    def entries(self, within: str = "") -> list[Entry]:
        self._there()
        return super().entries(within)

    def entry(self, name: str) -> Entry | None:
        self._there()
        return super().entry(name)

    def read(self, name: str) -> Iterator[bytes]:
        self._there()
        return super().read(name)

    def write(self, name: str, pieces: Iterable[bytes]) -> None:
        self._there()
        super().write(name, pieces)


class FolderRig:
    """A receiver that reads the files in the order of their batches; with `receipts` it answers about each record."""

    knows_revisions = False

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, *, receipts: bool = False, **settings: Any) -> None:
        self.root = root / "out"
        (self.root / "receipts").mkdir(parents=True)
        self.folder = SharedFolder(str(self.root))
        self._patch = patch
        #: When the file was put there that was answered, by name.
        self._answered: dict[str, int] = {}
        given: dict[str, Any] = {"folder": str(self.root), "name": "{batch}_{parcel}", "stable_seconds": 0, **settings}
        if receipts:
            given["receipts_folder"] = "receipts"
        self.destination: Any = FileDestination(
            FileDestinationSettings(**given), around(), folder=self.folder, clock=clock()
        )

    def files(self) -> list[Path]:
        """The files, oldest batch first; nothing that is hidden."""
        return sorted(p for p in self.root.iterdir() if p.is_file() and not p.name.startswith("."))

    def rows(self, path: Path) -> list[dict[str, str]]:
        if path.suffix == ".xml":
            return _of_xml(path.read_bytes())
        return list(csv.DictReader(io.StringIO(path.read_bytes().decode("utf-8-sig"))))

    def stored(self) -> dict[str, Stored]:
        found: dict[str, Stored] = {}
        seen: list[tuple[str, str]] = []
        for path in self.files():
            for row in self.rows(path):
                seen.append((row["cd_id"], row.get("content_digest", "")))
                found[row["cd_id"]] = Stored(row["cd_operation"], *seen[-1][1:], seen.count(seen[-1]))
        return found

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "penalty_result": "罚款\x07"}, "penalty_result"

    def work(self) -> None:
        """Answer what is not answered: control characters are refused."""
        for path in self.files():
            receipt = self.root / "receipts" / f"{path.name}.receipt.jsonl"
            if self._answered.get(path.name) == (put := path.stat().st_mtime_ns):
                continue
            self._answered[path.name] = put
            wrong = [row for row in self.rows(path) if "\x07" in row["penalty_result"]]
            said = [{"cd_id": r["cd_id"], "result": "refused", "element": "penalty_result"} for r in wrong]
            lines = [json.dumps(s | {"message": "含有控制字符"}, ensure_ascii=False) for s in said]
            receipt.write_text("\n".join(lines), "utf-8")

    def take_away(self) -> None:
        self.folder.away = True

    def bring_back(self) -> None:
        self.folder.away = False
        self._patch.undo()

    def lose_answers(self) -> None:
        def silent(_folder: Path) -> None:
            raise OSError(errno.EIO, "Input/output error")

        self._patch.setattr(folders, "_sync", silent)

    def close(self) -> None:
        self.bring_back()
        self.destination.close()


def _of_xml(data: bytes) -> list[dict[str, str]]:
    rows = []
    for record in parse(data):
        row = {etree.QName(child).localname: child.text or "" for child in record}
        if etree.QName(record).localname == "removal":
            row["cd_id"] = cd_id(PROVIDER, "punish_action", row["punish_action_code"])
        rows.append(row)
    return rows


@contextmanager
def without_rights() -> Iterator[Path]:
    """An empty folder in which this process has only the rights that the folder gives it, also where it is root's."""
    root = Path(mkdtemp(prefix="folder-"))
    was_root = os.geteuid() == 0
    if was_root:
        os.chown(root, _NOBODY, _NOBODY)
        os.seteuid(_NOBODY)
    try:
        yield root
    finally:
        if was_root:
            os.seteuid(0)
        for path in (root, *root.rglob("*")):
            if path.is_dir():
                path.chmod(0o700)
        rmtree(root)

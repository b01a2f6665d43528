"""Marking the sender's own .xlsx; see `mark_child.py`."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from adapters.workbook.marks import AUTHOR, HEADINGS, MAX_MARKS, RESULT_SHEET, Fault, cell_of, inert

_CHILD = Path(__file__).with_name("mark_child.py")
_MEMORY = 512 << 20
_SECONDS = 60
#: A packed workbook larger than this is answered with a list of its faulty rows instead.
MAX_BYTES = 4 << 20


def mark(file: BinaryIO, faults: Sequence[Fault]) -> bytes | None:
    """The workbook with its faults marked; None when it cannot be done within bounds (no .xlsx, or too large)."""
    places = [(cell_of(fault.place), fault) for fault in faults]
    request = {
        "memory": _MEMORY,
        "seconds": _SECONDS,
        "author": AUTHOR,
        "result": RESULT_SHEET,
        "headings": HEADINGS,
        "marks": [[*cell, fault.comment, fault.serious] for cell, fault in places if cell is not None][:MAX_MARKS],
        "lines": [[inert(word) for word in fault.line] for fault in faults],
    }
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as out:
        held = file.read(MAX_BYTES + 1)
        if len(held) > MAX_BYTES or not held.startswith(b"PK"):
            return None
        source.write(held)
        source.flush()
        os.lseek(source.fileno(), 0, os.SEEK_SET)
        request |= {"file": source.fileno(), "out": out.fileno()}
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-S", str(_CHILD), _site_packages()],
                input=json.dumps(request).encode() + b"\n",
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=[source.fileno(), out.fileno()],
                env={"LANG": "C.UTF-8"},
                timeout=_SECONDS * 2,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return None
        out.seek(0)
        return out.read() if done.returncode == 0 else None


def _site_packages() -> str:
    found = importlib.util.find_spec("openpyxl")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parents[1])

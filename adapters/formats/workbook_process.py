"""Runs `workbook_child.py` and takes its rows; an end without a word becomes an error the sender can understand."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Generator
from contextlib import suppress
from pathlib import Path
from typing import IO, BinaryIO

import msgspec

from adapters.formats.refusal import too_large, unreadable
from adapters.formats.sheet_rows import Row, Sheet
from standards.errors import BadRecord

_CHILD = Path(__file__).with_name("workbook_child.py")
_SECONDS = 300
_OVERHEAD = 32
#: What the child needs of our environment; the rest, secrets among it, is none of its business.
_ENVIRONMENT = ("LD_LIBRARY_PATH", "LANG", "LC_ALL")
#: Bytes of one frame; the child writes far smaller ones.
_FRAME = 1 << 28

Frame = Sheet | list[Row]


def sheets_and_rows(file: BinaryIO, sheet: str, memory_mb: int) -> Generator[Frame]:
    """Each wanted sheet and then its rows.  Raises UnreadablePayload or PayloadTooLarge.

    The file may be any seekable one; the child gets it as a descriptor.
    """
    real = _real_file(file)
    request = {
        "file": real.fileno(),
        "sheet": sheet,
        "memory": (memory_mb + _OVERHEAD) << 20,
        "seconds": _SECONDS,
    }
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", str(_CHILD), _site_packages()],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=[real.fileno()],
        env={k: v for k, v in os.environ.items() if k in _ENVIRONMENT} | {"RUST_BACKTRACE": "0"},
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        with suppress(BrokenPipeError):  # it ended before it read: how it ended is told below
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.close()
        yield from _frames(process.stdout, process, sheet, memory_mb)
    finally:
        process.kill()
        process.stdout.close()
        process.wait()
        if real is not file:
            real.close()


def _site_packages() -> str:
    found = importlib.util.find_spec("python_calamine")
    assert found is not None
    assert found.origin is not None
    return str(Path(found.origin).parents[1])


def _real_file(file: BinaryIO) -> BinaryIO:
    """A file of the operating system with the same content, at its start."""
    file.seek(0)
    try:
        descriptor = file.fileno()
    except OSError:
        copy = tempfile.TemporaryFile()  # noqa: SIM115 - closed by the caller
        shutil.copyfileobj(file, copy, 1 << 20)
        copy.seek(0)
        return copy
    # What Python still holds back in its own buffer, and where the descriptor stands.
    file.flush()
    os.lseek(descriptor, 0, os.SEEK_SET)
    return file


def _frames(stream: IO[bytes], process: subprocess.Popen[bytes], sheet: str, memory_mb: int) -> Generator[Frame]:
    while True:
        header = stream.read(4)
        if len(header) < 4:
            raise _died(process.wait(), memory_mb)
        (length,) = struct.unpack(">I", header)
        data = stream.read(length) if length <= _FRAME else b""
        if len(data) < length:
            raise _died(process.wait(), memory_mb)
        frame = msgspec.msgpack.decode(data)
        match frame:
            case ["rows", rows]:
                yield [(number, texts) for number, texts in rows]
            case ["sheet", name, column]:
                yield Sheet(name, column)
            case ["error", kind, message]:
                raise _told(kind, message, sheet, memory_mb)
            case _:
                return


def _told(kind: str, message: str, sheet: str, memory_mb: int) -> BadRecord:
    if kind == "password":
        return unreadable(
            "工作簿有密码",
            "the workbook has a password",
            "请取消密码（文件—信息—保护工作簿）后另存再报送",
            "save it without a password and send it again",
        )
    if kind == "sheet":
        return unreadable(
            f"没有名为“{sheet}”的工作表；现有：{message}",
            f'there is no sheet "{sheet}"; there are: {message}',
            "请恢复工作表的名称，或请运维人员修改该接入的 sheet 设置",
            "restore the sheet's name, or have the operator change 'sheet' for this connection",
        )
    if kind == "memory":
        return _too_much(memory_mb)
    return unreadable(
        f"工作簿无法读取（{message}）",
        f"the workbook cannot be read ({message})",
        "请用 Excel 或 WPS 打开后另存为 .xlsx 再报送",
        "open it in Excel or WPS, save it as .xlsx, and send it again",
    )


def _died(code: int, memory_mb: int) -> BadRecord:
    if code == -signal.SIGXCPU:
        return too_large(
            f"工作簿过于复杂，{_SECONDS} 秒内未能读完",
            f"the workbook could not be read within {_SECONDS} seconds",
            "请拆分后报送，或改报 CSV",
            "split it, or send CSV",
        )
    if code in (-signal.SIGABRT, -signal.SIGKILL):
        return _too_much(memory_mb)
    return _told("unreadable", f"exit {code}", "", memory_mb)


def _too_much(memory_mb: int) -> BadRecord:
    return too_large(
        f"工作表范围过大，读取所需内存超过 {memory_mb} MB",
        f"the sheet is too large: reading it would take more than {memory_mb} MB of memory",
        "请检查右侧或下方很远处是否误填了内容（按 Ctrl+End 查看），把数据复制到新工作簿后重报；数据很多的请改报 CSV",
        "look for a stray value far to the right or below (Ctrl+End), copy the data into a new workbook, or send CSV",
    )

"""JSON text that streams by: one value at a time is held, never the document.

The C scanner of the standard library reads values; when a value is not complete yet, more text is read and it is tried
again with at least twice as much, so that the work stays in proportion to the text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from adapters.formats.flatten import Number, object_of
from adapters.formats.refusal import unreadable
from standards.errors import UnreadablePayload

#: A mistake this near to the end of what was read may only mean that the rest is not there yet.
_NEAR = 64
_BLANKS = re.compile(r"[ \t\n\r]*")


class _NoNumberError(ValueError):
    """NaN or Infinity."""


def _no_number(name: str) -> Any:
    raise _NoNumberError(name)


#: Gives the value at a position of a text, and the position behind it.
Scan = Callable[[str, int], tuple[Any, int]]


def _scanner(number: Callable[[str], Any], pairs: Callable[[list[tuple[str, Any]]], Any] | None) -> Scan:
    decoder = json.JSONDecoder(parse_float=number, parse_int=number, parse_constant=_no_number, object_pairs_hook=pairs)
    scan: Scan = decoder.scan_once  # type: ignore[attr-defined]
    return scan


#: Numbers as they were written, double names told.
scan = _scanner(Number, object_of)
#: For a first look: faster, and numbers are nothing in particular.
scan_roughly = _scanner(len, None)


class Cursor:
    """A position in JSON text."""

    def __init__(self, blocks: Iterator[str], limit: int, scan: Scan = scan) -> None:
        """`limit`: characters of one value."""
        self._scan = scan
        self._blocks = blocks
        self._limit = limit
        self._text = ""
        self._at = 0
        self._ended = False
        self._dropped = 0
        self._lines = 0
        #: Characters of the line at hand that are dropped already.
        self._column = 0

    @property
    def position(self) -> int:
        """Characters read so far."""
        return self._dropped + self._at

    def peek(self) -> str:
        """The next character that is no blank, or '' at the end."""
        while True:
            found = _BLANKS.match(self._text, self._at)
            assert found is not None
            self._at = found.end()
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def take(self, character: str) -> bool:
        """Go past a character if it is the next."""
        if self.peek() == character:
            self._at += 1
            return True
        return False

    def demand(self, character: str) -> None:
        """Go past a character.  Raises UnreadablePayload when it is not the next."""
        if not self.take(character):
            raise self.wrong(f"缺少“{character}”", f"'{character}' expected", self._at)

    def key(self) -> str:
        """A name and its colon."""
        if self.peek() != '"':
            raise self.wrong("缺少用双引号括起的字段名", "a field name in double quotes expected", self._at)
        name = self.value()
        self.demand(":")
        return str(name)

    def is_complete(self) -> bool:
        """True when the value at hand is complete in what was read; reads nothing."""
        try:
            _, end = self._scan(self._text, self._at)
        except (StopIteration, ValueError, RecursionError):
            return False
        return end < len(self._text)

    def value(self) -> Any:
        """The next value.  Raises UnreadablePayload when it is no JSON, or larger than the limit."""
        self.peek()
        while True:
            try:
                value, end = self._scan(self._text, self._at)
            except StopIteration as stop:
                what_zh, what, at = "不是 JSON 值", "no JSON value", int(stop.value)
            except json.JSONDecodeError as error:
                what_zh, what, at = f"不是 JSON（{error.msg}）", error.msg, error.pos
                if error.msg.startswith("Unterminated string"):
                    at = len(self._text)
            except _NoNumberError as error:
                raise self.wrong(f"{error} 不是 JSON 数字", f"{error} is no JSON number", self._at) from error
            except RecursionError as error:
                raise self._too_deep() from error
            else:
                # A number may go on in text that is not read yet.
                if end < len(self._text) or not self._more_of_value():
                    self._at = end
                    return value
                continue
            beyond = at - self._at
            if at < len(self._text) - _NEAR or not self._more_of_value():
                raise self.wrong(what_zh, what, min(self._at + beyond, len(self._text)))

    def _more_of_value(self) -> bool:
        if len(self._text) - self._at > self._limit:
            line, _column = self._where(self._at)
            raise unreadable(
                f"第 {line} 行起的一条记录超过 {self._limit} 个字符",
                f"a record that begins in line {line} has more than {self._limit} characters",
                "请检查引号和括号是否配对；附件等大段内容请单独报送",
                "check that quotes and brackets match; send attachments by themselves",
            )
        return self._more()

    def _more(self) -> bool:
        """Read at least as much again as is held of the value at hand; False at the end."""
        if self._ended:
            return False
        held = self._text[self._at :]
        line, column = self._where(self._at)
        self._lines, self._column = line - 1, column - 1
        self._dropped += self._at
        pieces, size = [held], 0
        while size <= len(held):
            block = next(self._blocks, None)
            if block is None:
                self._ended = True
                break
            pieces.append(block)
            size += len(block)
        self._text, self._at = "".join(pieces), 0
        return size > 0

    def _where(self, at: int) -> tuple[int, int]:
        newline = self._text.rfind("\n", 0, at)
        if newline < 0:
            return self._lines + 1, self._column + at + 1
        return self._lines + 1 + self._text.count("\n", 0, at), at - newline

    def wrong(self, what_zh: str, what: str, at: int | None = None) -> UnreadablePayload:
        """The error for a mistake at a position of the text that is held."""
        at = self._at if at is None else at
        line, column = self._where(at)
        if at >= len(self._text) and self._ended:
            what_zh, what = f"内容在此中断，不完整：{what_zh}", f"the text ends here: {what}"
        return unreadable(
            f"第 {line} 行第 {column} 个字符处：{what_zh}",
            f"line {line}, character {column}: {what}",
            "请由来源系统重新生成 JSON；检查引号、逗号、括号是否配对，文件是否传输完整；"
            "本来就不是 JSON 的，请改正 Content-Type 或文件扩展名",
            "let the source system write the JSON again; check quotes, commas, brackets, and whether it is whole; "
            "if it is no JSON at all, mend the Content-Type or the ending of its name",
        )

    def _too_deep(self) -> UnreadablePayload:
        line, column = self._where(self._at)
        return unreadable(
            f"第 {line} 行第 {column} 个字符起嵌套层次过深",
            f"line {line}, character {column}: nested too deeply",
            "请检查括号是否配对；记录不应嵌套这么多层",
            "check that brackets match; records should not be nested like this",
        )

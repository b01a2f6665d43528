"""One place only turns bytes into text by an encoding's name, and knows the newest GB 18030: standards/encodings.py."""

import ast
import re

import pytest

from tests.house.repository import ROOMS, files, name_of

HOME = "standards/encodings.py"
#: Takes GB 18030 through the home, and decodes lines of other encodings itself, because there are so many.
QUICK = "adapters/formats/lines.py"
_BY_NAME = re.compile(r"codec|encod|charset|choice", re.IGNORECASE)
_GB = re.compile(r"gb_?18030|gbk|gb_?2312|cp936", re.IGNORECASE)
_METHODS = ("decode", "encode")
_MAKERS = ("getdecoder", "getencoder", "getincrementaldecoder", "getincrementalencoder", "getreader", "getwriter")


def past_the_home(source: str) -> list[str]:
    """Every place of a module where Python's own codec for GB 18030 may be asked: `line: what`."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        given = [*node.args[:1], *(word.value for word in node.keywords if word.arg == "encoding")]
        named = [one for one in given if _is_encoding(one)]
        if node.func.attr in _MAKERS or (named and node.func.attr in _METHODS):
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


def _is_encoding(given: ast.expr) -> bool:
    if isinstance(given, ast.Constant):
        return isinstance(given.value, str) and _GB.fullmatch(given.value) is not None
    return _BY_NAME.search(ast.unparse(given)) is not None


@pytest.mark.parametrize(
    "source",
    [
        "data.decode('gb18030')",
        "text.encode(encoding='GBK')",
        "data[:9].decode(self.codec, 'replace')",
        "text.encode(wire.encoding)",
        "codecs.getincrementaldecoder(name)()",
    ],
)
def test_each_way_past_it_is_noticed(source: str) -> None:
    assert past_the_home(source)


@pytest.mark.parametrize(
    "source", ["data.decode()", "text.encode('utf-8')", "json.decode(body)", "decode(data, codec)"]
)
def test_what_is_sure_not_to_be_gb18030_is_passed_over(source: str) -> None:
    assert not past_the_home(source)


def test_nobody_reads_or_writes_gb18030_past_its_home() -> None:
    # The demo writes what old systems write.
    rooms = [f"{room}/*.py" for room in ROOMS if room != "demo"]
    outside = [path for path in files(*rooms) if name_of(path) not in (HOME, QUICK)]

    found = {name_of(path): past for path in outside if (past := past_the_home(path.read_text()))}

    assert not found, f"use {HOME}: {found}"

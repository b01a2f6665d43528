"""Payloads too large to hold, read in a process of its own; prints how much its memory grew.

python -m tests.adapters.formats.big_streams NAME MEGABYTES
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator

from adapters.formats import ReadOptions, open_records
from standards.errors import BadRecord
from tests.adapters.formats.reading import StreamPayload

_WORDS = (
    "处罚决定,某某有限公司,91430700MA4PBKBQ48,2018-01-05,罚款,5088,防冻液生产制造；润滑油批发,湖南,常德,某某路103号"
)
_ROW = ",".join((_WORDS.split(",") * 3)[:25])
_FIELDS = ",".join(f"字段{n}" for n in range(25))
_XML = "".join(f"<f{n}>某某有限公司{n}</f{n}>" for n in range(25))
_JSON = json.dumps({f"字段{n}": f"某某有限公司{n}" for n in range(25)}, ensure_ascii=False)


def _repeated(head: str, middle: str, tail: str, megabytes: int, codec: str = "utf-8") -> Iterator[bytes]:
    """A beginning, as many middles as fit, and an end."""
    yield head.encode(codec)
    block = (middle * max(1, 100_000 // len(middle))).encode(codec)
    for _ in range(max(1, megabytes * 1024 * 1024 // len(block))):
        yield block
    yield tail.encode(codec)


def pieces(name: str, megabytes: int) -> Iterator[bytes]:
    """The bytes of a named payload."""
    match name:
        case "csv":
            return _repeated(_FIELDS + "\n", _ROW + "\n", "", megabytes, "gb18030")
        case "csv_multiline":
            return _repeated("a,b\n", '1,"x\ny"\n', "", megabytes)
        case "csv_one_line":
            return _repeated("a,b\n1,", "x", "", megabytes)
        case "csv_no_line_at_all":
            return _repeated("", "x", "", megabytes)
        case "csv_unclosed_quote":
            return _repeated('a,b\n1,"', "x,y\n", "", megabytes)
        case "csv_quotes":
            return _repeated("a,b\n", 'p","x\n', "", megabytes)
        case "csv_million_columns":
            return _repeated("a,b\n", "1," * 1_000_000 + "\n", "", megabytes)
        case "csv_million_column_header":
            return _repeated("", "1," * 1_000_000 + "\n", "", megabytes)
        case "csv_returns":
            return _repeated("a,b\n1,", "\r", "\n", megabytes)
        case "csv_empty_lines":
            return _repeated("a,b\n", "\n", "1,2\n", megabytes)
        case "csv_ragged":
            return _repeated("a,b,c,d\n", "1,2,3\n", "", megabytes)
        case "ndjson":
            return _repeated("", _JSON + "\n", "", megabytes)
        case "json":
            return _repeated("[{}", "," + _JSON, "]", megabytes)
        case "json_inner":
            return _repeated('{"data": {"rows": [{}', "," + _JSON, "]}}", megabytes)
        case "json_string":
            return _repeated('[{"a": "', "x", '"}]', megabytes)
        case "json_blanks":
            return _repeated("[", " ", '{"a": 1}]', megabytes)
        case "json_one_record":
            return _repeated('[{"a": 1', ', "b": 2', "}]", megabytes)
        case "json_numbers":
            return _repeated("[1", ",1", "]", megabytes)
        case "json_digits":
            return _repeated("[1", "1", "]", megabytes)
        case "json_names":
            return _numbered('{{"a{0}": {{"b": 1}}', ', "k{0}": {{"b": 1}}', "}", megabytes)
        case "json_brackets":
            return _repeated("", "[", "", megabytes)
        case "xml":
            return _repeated("<r>", f"<i>{_XML}</i>", "</r>", megabytes)
        case "xml_text":
            return _repeated("<r><i><a>", "x", "</a></i><i/></r>", megabytes)
        case "xml_one_record":
            return _repeated("<r><i>", "<a>1</a>", "</i><i/></r>", megabytes)
        case "xml_groups":
            return _repeated("<r>", "<g><i><a>1</a></i><i><a>2</a></i></g>", "</r>", megabytes)
        case "xml_comment":
            return _repeated("<r><i/><!--", "x", "--><i/></r>", megabytes)
        case "xml_prolog":
            return _repeated("<!--", "x", "--><r><i/><i/></r>", megabytes)
        case "xml_attribute":
            return _repeated('<r><i a="', "x", '"/><i/></r>', megabytes)
        case "xml_name":
            return _repeated("<r><", "x", "/></r>", megabytes)
        case "html":
            return _repeated("<table><tr><td>a</td></tr>", "<tr><td>1</td></tr>", "</table>", megabytes)
        case "nul":
            return _repeated("a\n", "\0", "", megabytes)
        case _:
            raise LookupError(name)


def _numbered(head: str, middle: str, tail: str, megabytes: int) -> Iterator[bytes]:
    yield head.format(0).encode()
    number = size = 0
    while size < megabytes * 1024 * 1024:
        block = "".join(middle.format(n) for n in range(number, number + 5000)).encode()
        yield block
        number += 5000
        size += len(block)
    yield tail.encode()


def main(name: str, megabytes: int) -> None:
    """Read it, and print what came of it."""
    size = sum(len(piece) for piece in pieces(name, megabytes))
    payload = StreamPayload(f"big.{name.partition('_')[0]}", lambda: pieces(name, megabytes), size)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.perf_counter()
    count = broken = 0
    error = ""
    try:
        options = ReadOptions(record="//i") if name.startswith("xml_") else ReadOptions()
        _, chunks = open_records(payload, options)
        for chunk in chunks:
            count += chunk.count
            broken += len(chunk.broken)
    except BadRecord as refusal:
        error = refusal.what_zh
    seconds = time.perf_counter() - started
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    result = {"name": name, "mb": size >> 20, "count": count, "broken": broken, "error": error}
    print(json.dumps({**result, "seconds": round(seconds, 2), "grown_mb": round(grown, 1)}, ensure_ascii=False))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

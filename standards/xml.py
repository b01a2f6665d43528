"""The only door for foreign XML: no DOCTYPE, so no entities, no network, no files; bounded depth and sizes.

    parse(data)                one small document as a tree (a SOAP message, an answer)
    check(blocks)              whether a document of any size is sound
    events(blocks, handler)    such a document told to a handler while it streams by; nothing is kept
    html_events(…)             the same for a web page, which need not be well-formed

Whoever reads XML that somebody else wrote comes through here.  Writing, and validating what we wrote, may use lxml.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol

from lxml import etree

from standards.encodings import decode, is_gb
from standards.errors import PayloadTooLarge, UnreadablePayload

#: Bytes of a document that is read as a tree.
TREE_LIMIT = 32 * 1024 * 1024
#: Elements within each other in a web page.
_DEPTH = 256
#: Characters before the first element.
_PROLOG_LIMIT = 1 << 20
_PROLOG = re.compile(r"(?:\s+|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
_DECLARATION = re.compile(r"\s*<\?xml\s[^>]*\?>")
_ENCODING = re.compile(rb"<\?xml\s[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._:-]+)[\"']")
_PLAIN_CODEC = re.compile(r"us-ascii|iso-8859-\d{1,2}|windows-125\d|big5")
_SAFE: dict[str, Any] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "encoding": "utf-8",
}


class Handler(Protocol):
    """Is told what stands in a document, in its order.  Names are written `{namespace}local`."""

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, tag: str) -> None:
        """An element ends."""
        ...

    @property
    def data(self) -> Callable[[str], None]:
        """Called with text, in pieces of any size."""
        ...

    def close(self) -> object:
        """The document is over."""
        ...


class _Nothing:
    """A handler that only wants to know whether the document is sound."""

    def close(self) -> None:
        """Nothing was kept."""


def declared_encoding(head: bytes) -> str:
    """The encoding in the XML declaration, or ''."""
    found = _ENCODING.search(head[:1024])
    return found[1].decode("ascii") if found else ""


def local(tag: str) -> str:
    """A name without its namespace."""
    return tag.rpartition("}")[2]


def check(blocks: Iterable[str]) -> None:
    """Read a text to its end, in bounded memory whatever it holds.

    Raises UnreadablePayload when it is not well-formed, has a DOCTYPE, or holds a tag or comment of many megabytes.
    """
    file: Any = _File(without_prolog(blocks))
    try:
        etree.parse(file, _parser(target=_Nothing()))
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error) from error


class _File:
    """Text as a file of UTF-8 bytes."""

    def __init__(self, blocks: Iterator[str]) -> None:
        self._blocks = blocks
        self._held = b""

    def read(self, size: int) -> bytes:
        """At most `size` bytes; none at the end."""
        while not self._held:
            block = next(self._blocks, None)
            if block is None:
                return b""
            self._held = block.encode("utf-8", "surrogatepass")
        data, self._held = self._held[:size], self._held[size:]
        return data


def events(blocks: Iterable[str], handler: Handler, *, whole: bool = True) -> Iterator[None]:
    """Tell the handler what stands in the text; yields after every block, so that the caller can take what came of it.

    Only for text that `check` has passed: a tag or comment that does not end would be held back here, however long.
    `whole`: False when the blocks are only the beginning of a document.
    """
    parser = _parser(target=handler)
    try:
        for block in without_prolog(blocks):
            parser.feed(block.encode("utf-8", "surrogatepass"))
            yield
        if whole:
            parser.close()
            yield
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error) from error


def html_events(blocks: Iterable[str], handler: Handler) -> Iterator[None]:
    """Tell the handler what stands in an HTML page, as far as it can be made out; names are in lower case.

    Raises UnreadablePayload when elements are nested too deeply.
    """
    make: Any = etree.HTMLParser
    parser = make(target=_Shallow(handler), no_network=True, huge_tree=False, encoding="utf-8")
    try:
        for block in blocks:
            parser.feed(block.encode("utf-8", "surrogatepass"))
            yield
        parser.close()
        yield
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error) from error


class _Shallow:
    """Hands on to a handler, to a bounded depth."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._depth = 0
        self.data = handler.data
        self.close = handler.close

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH:
            raise UnreadablePayload(
                f"the page nests more than {_DEPTH} elements",
                what_zh=f"网页中的元素嵌套超过 {_DEPTH} 层",
                hint="save it as xlsx",
                hint_zh="请另存为 xlsx 后报送",
            )
        self._handler.start(tag, attrib)

    def end(self, tag: str) -> None:
        self._depth -= 1
        self._handler.end(tag)


def parse(data: bytes, limit: int = TREE_LIMIT) -> etree._Element:
    """The root element of a small document.

    Raises PayloadTooLarge, or UnreadablePayload when it is not well-formed, has a DOCTYPE, or is not in the encoding
    that it declares nor in UTF-8 or GB18030.
    """
    if len(data) > limit:
        raise PayloadTooLarge(
            f"the XML document has {len(data)} bytes, the limit is {limit}",
            what_zh=f"XML 文档有 {len(data)} 字节，上限 {limit} 字节",
            hint="send it in several parts",
            hint_zh="请分几次发送",
        )
    text = "".join(without_prolog([_decode(data)]))
    try:
        root: etree._Element = etree.fromstring(text.encode("utf-8"), _parser())
    except etree.XMLSyntaxError as error:
        raise _not_well_formed(error) from error
    return root


def _parser(**more: Any) -> Any:
    make: Any = etree.XMLParser
    return make(**_SAFE, **more)


def _decode(data: bytes) -> str:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        choices = ["utf-16"]
    else:
        said = declared_encoding(data).lower()
        choices = ["utf-8-sig", "gb18030"]
        if is_gb(said):
            choices.insert(0, "gb18030")
        elif _PLAIN_CODEC.fullmatch(said):
            choices.insert(0, said)
    for choice in choices:
        try:
            return decode(data, choice).removeprefix("\ufeff")
        except (LookupError, ValueError):
            continue
    raise UnreadablePayload(
        "the XML is neither in the encoding it declares nor in UTF-8 or GB18030",
        what_zh="XML 的编码与声明不符，也不是 UTF-8 或 GB18030",
        hint="send it in UTF-8 and declare that",
        hint_zh="请以 UTF-8 编码发送，并在 XML 声明中注明",
    )


def without_prolog(blocks: Iterable[str]) -> Iterator[str]:
    """The text with its XML declaration blanked out, so that lines and columns stay.

    What the declaration says of the encoding is no longer true of decoded text.  Raises UnreadablePayload for a
    DOCTYPE: with it come entities, and with these files, addresses and explosions.
    """
    stream = iter(blocks)
    held = ""
    for block in stream:
        held += block
        if _is_past_prolog(held):
            break
        if len(held) > _PROLOG_LIMIT:
            raise UnreadablePayload(
                f"no element in the first {_PROLOG_LIMIT} characters of the XML",
                what_zh=f"XML 的前 {_PROLOG_LIMIT} 个字符中没有任何元素",
                hint="check whether this is XML",
                hint_zh="请检查内容是不是 XML",
            )
    declaration = _DECLARATION.match(held)
    if declaration is not None:
        blank = re.sub(r"[^\n]", " ", declaration[0])
        held = blank + held[declaration.end() :]
    yield held
    yield from stream


def _is_past_prolog(text: str) -> bool:
    found = _PROLOG.match(text)
    rest = text[found.end() : found.end() + 9] if found else text[:9]
    if rest.upper() == "<!DOCTYPE":
        line = text.count("\n", 0, found.end() if found else 0) + 1
        raise UnreadablePayload(
            f"the XML has a DOCTYPE (line {line}); it is refused, because it may name files, addresses and entities",
            what_zh=f"XML 含有 DOCTYPE 声明（第 {line} 行），出于安全不予接收",
            hint="remove the DOCTYPE; if this is a web page, export the data as XML, CSV or xlsx instead",
            hint_zh="请去掉 DOCTYPE 后重报；如果这是网页，请改为导出 XML、CSV 或 xlsx",
        )
    if rest.startswith(("<!", "<?")):
        return False
    return bool(rest)


def _not_well_formed(error: etree.XMLSyntaxError) -> UnreadablePayload:
    line, column = error.position
    what = re.sub(
        r",? (?:try|use) XML_PARSE_HUGE.*|, line \d+, column \d+(?:\s*\(.*\))?$", "", error.msg or "", flags=re.DOTALL
    )
    return UnreadablePayload(
        f"not well-formed XML: line {line}, column {column}: {what}",
        what_zh=f"不是合法的 XML：第 {line} 行第 {column} 列（{what}）",
        hint="let the source system write it again; check that tags match, & and < are escaped, the file is complete",
        hint_zh="请由来源系统重新生成 XML；检查标签是否配对，& 和 < 是否转义，文件是否传输完整",
    )

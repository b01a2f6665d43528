"""What stands in a SOAP envelope, told element by element: who calls, the operation, its small parts, its records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from lxml import etree

from adapters.soap.contract import NAMESPACE, OPERATIONS, OURS, wrong_with
from adapters.soap.records import FIELD, NAME, RECORD, RecordReader
from adapters.soap.refusal import BadRequest, NotUnderstood, see_wsdl
from standards.errors import PayloadTooLarge
from standards.xml import local

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_TOKEN, _USERNAME, _PASSWORD = f"{_WSSE}UsernameToken", f"{_WSSE}Username", f"{_WSSE}Password"
#: Headers that may say that they must be understood: the first is, the others ask for nothing but an answer.
_UNDERSTOOD = (
    f"{_WSSE}Security",
    "{http://www.w3.org/2005/08/addressing}",
    "{http://schemas.xmlsoap.org/ws/2004/08/addressing}",
)
#: Texts of any length, by operation; like records they are handed on and not kept in the tree.
_LONG = {"submitXml": f"{OURS}content", "sendParcel": f"{OURS}event"}
#: Bounds of everything else.
_ELEMENTS, _CHARACTERS, _DEPTH = 50_000, 4_000_000, 32


class Message:
    """Is told the elements of an envelope in their order (standards.xml.Handler)."""

    def __init__(self) -> None:
        self.version = ""
        self.operation = ""
        #: Username and password of a WS-Security UsernameToken, and the kind of password.
        self.username = self.token = self.token_kind = ""
        #: Records as lines of JSON, or pieces of the long text: whoever reads on takes them away.
        self.pieces: list[str] = []
        self._path: list[str] = []
        self._text: list[str] = []
        self._root: etree._Element | None = None
        self._tree: list[etree._Element] = []
        self._records = RecordReader()
        self._in_record = self._in_long = False
        self._elements = self._characters = 0

    def text(self, name: str) -> str:
        """The text of a child of the operation; '' when there is none."""
        found = None if self._root is None else self._root.find(f"{OURS}{name}")
        return "" if found is None or found.text is None else found.text

    def number(self, name: str, default: int = 0) -> int:
        """A child as a number; the schema has seen to it that it is one."""
        return int(self.text(name) or default)

    def children(self, name: str) -> Iterator[dict[str, str]]:
        """Children of a name, each as child name -> text."""
        for child in () if self._root is None else self._root.findall(f"{OURS}{name}"):
            yield {local(str(part.tag)): part.text or "" for part in child}

    def finish(self) -> None:
        """The message is over.  Raises BadRequest when it is not as the contract has it."""
        if self._root is None:
            raise see_wsdl("the envelope has no body", "SOAP 报文没有 Body 内容")
        if wrong := wrong_with(self._root):
            raise see_wsdl(wrong, f"请求与 WSDL 不符：{wrong}")

    def start(self, tag: str, attrib: Mapping[str, str]) -> None:
        """An element begins."""
        depth = len(self._path)
        if self._root is not None and depth > 2 and not tag.startswith("{"):
            tag = f"{OURS}{tag}"  # written by hand, mostly: the operation has our namespace, its parts have none
        self._path.append(tag)
        if self._in_record:
            self._records.start(tag, depth - 3)
            return
        self._text.clear()
        if depth >= _DEPTH:
            raise BadRequest(f"more than {_DEPTH} elements within each other", what_zh=f"元素嵌套超过 {_DEPTH} 层")
        if depth == 0:
            self._envelope(tag)
        elif depth == 2 and self._is_in("Header"):
            self._header(tag, attrib)
        elif depth == 2 and self._is_in("Body"):
            self._called(tag)
        elif self._tree:
            self._part(tag, depth, attrib)
        elif tag == _PASSWORD:
            self.token_kind = attrib.get("Type", "").rpartition("#")[2]

    def end(self, tag: str) -> None:
        """An element ends."""
        tag = self._path.pop()
        depth = len(self._path)
        if self._in_record:
            if depth > 3:
                self._records.end(tag, depth - 3)
            else:
                self.pieces.append(self._records.line())
                self._in_record = False
            return
        if self._tree:
            said = "".join(self._text)
            element = self._tree.pop()
            if said and (len(element) == 0 or said.strip()):
                element.text = said
            self._in_long = False
        elif tag in (_USERNAME, _PASSWORD) and self._path[-1] == _TOKEN and self._is_in("Header"):
            said = "".join(self._text).strip()
            if tag == _PASSWORD:
                self.token = said
            else:
                self.username = said
        self._text.clear()

    @property
    def data(self) -> Callable[[str], None]:
        """Called with text, in pieces of any size."""
        return self._data

    def close(self) -> object:
        """The document is over."""
        return None

    def _data(self, text: str) -> None:
        if self._in_record:
            self._records.data(text)
        elif self._in_long:
            self.pieces.append(text)
        else:
            self._characters += len(text)
            if self._characters > _CHARACTERS:
                raise PayloadTooLarge(
                    f"more than {_CHARACTERS} characters beside records and content",
                    what_zh=f"报文中记录和正文之外的文字超过 {_CHARACTERS // 10_000} 万字",
                )
            self._text.append(text)

    def _is_in(self, part: str) -> bool:
        return self._path[1] == f"{{{self.version}}}{part}"

    def _envelope(self, tag: str) -> None:
        version = tag[1:].partition("}")[0]
        if local(tag) != "Envelope" or version not in (SOAP_11, SOAP_12):
            raise see_wsdl("no SOAP envelope", "不是 SOAP 报文")
        self.version = version

    def _header(self, tag: str, attrib: Mapping[str, str]) -> None:
        said = {name: attrib.get(f"{{{self.version}}}{name}", "") for name in ("mustUnderstand", "actor", "role")}
        for_others = said["actor"] or said["role"]
        if said["mustUnderstand"] in ("1", "true") and not for_others and not tag.startswith(_UNDERSTOOD):
            name = local(tag)[:100]
            raise NotUnderstood(
                f"the header {name} is not understood here",
                what_zh=f"不支持标为 mustUnderstand 的报文头 {name}",
                hint="send it without this header, or without mustUnderstand",
                hint_zh="请去掉该报文头，或去掉它的 mustUnderstand 属性",
            )

    def _called(self, tag: str) -> None:
        if self._root is not None:
            raise see_wsdl("more than one operation in the body", "Body 中有多个操作")
        name = local(tag)
        if tag != f"{OURS}{name}" or name not in OPERATIONS:
            raise BadRequest(
                f"no operation {name[:100]}",
                what_zh=f"没有名为 {name[:100]} 的操作",
                hint=f"there are: {', '.join(OPERATIONS)} in {NAMESPACE}",
                hint_zh=f"可用操作：{'、'.join(OPERATIONS)}，命名空间 {NAMESPACE}",
            )
        self.operation = name
        self._root = etree.Element(tag)
        self._tree.append(self._root)

    def _part(self, tag: str, depth: int, attrib: Mapping[str, str]) -> None:
        if self._in_long:
            name, inner = local(self._path[3]), local(tag)[:100]
            raise BadRequest(
                f"{name} is one text, but holds the element {inner}",
                what_zh=f"{name} 应为一段文本，现在里面是元素 {inner}",
                hint="write it as CDATA, or escape < and &",
                hint_zh="请用 CDATA 包起来，或把 < 和 & 转义",
            )
        if depth == 3 and tag == RECORD and self.operation == "submit":
            self._records.begin()
            self._in_record = True
            if self._records.count == 1:  # for the schema, which wants one
                field = etree.SubElement(etree.SubElement(self._tree[-1], RECORD), FIELD)
                etree.SubElement(field, NAME)
            return
        self._elements += 1
        if self._elements > _ELEMENTS:
            raise PayloadTooLarge(f"more than {_ELEMENTS} elements", what_zh=f"报文中的元素超过 {_ELEMENTS} 个")
        self._in_long = depth == 3 and _LONG.get(self.operation) == tag
        if self._in_long and self._tree[0].find(tag) is not None:
            raise see_wsdl(f"{local(tag)} stands twice", f"{local(tag)} 出现了两次")
        self._tree.append(etree.SubElement(self._tree[-1], tag, dict(attrib)))

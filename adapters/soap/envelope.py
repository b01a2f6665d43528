"""SOAP envelopes: a request read safely, an answer and a fault written."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

from adapters.soap.contract import NAMESPACE, OPERATIONS, wrong_with
from standards.errors import BadRecord, UnreadablePayload
from standards.xml import parse

SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_WSSE = "{http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd}"
_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}


class BadRequest(BadRecord):
    """The message is no request of our contract."""

    code = "bad-request"
    status = 400
    title_zh = "请求不符合接口约定"
    title = "not a request of this service"


@dataclass(frozen=True, slots=True)
class Request:
    """One call."""

    version: str
    operation: str
    body: etree._Element
    #: Password of a WS-Security UsernameToken; '' when there is none.
    token: str

    def text(self, name: str, default: str = "") -> str:
        """The text of a child."""
        found = self.body.find(f"{{{NAMESPACE}}}{name}")
        return default if found is None or found.text is None else found.text

    def number(self, name: str, default: int = 0) -> int:
        """A child as a number; the schema has seen to it that it is one."""
        return int(self.text(name) or default)

    def children(self, name: str) -> Iterator[dict[str, str]]:
        """Children of a name, each as child name -> text."""
        for child in self.body.findall(f"{{{NAMESPACE}}}{name}"):
            yield {etree.QName(part).localname: part.text or "" for part in child}

    def records(self) -> Iterator[dict[str, str]]:
        """The records of `submit`: field name -> value, the first of two fields of one name counts."""
        for record in self.body.findall(f"{{{NAMESPACE}}}record"):
            values: dict[str, str] = {}
            for field in record:
                values.setdefault(
                    field.findtext(f"{{{NAMESPACE}}}name", ""), field.findtext(f"{{{NAMESPACE}}}value", "")
                )
            yield values


def read(data: bytes) -> Request:
    """A request.  Raises BadRequest: no XML, a DOCTYPE, no envelope, an unknown operation, or against the schema."""
    try:
        root = parse(data)
    except UnreadablePayload as error:
        raise BadRequest(error.what, what_zh=error.what_zh, hint=error.hint, hint_zh=error.hint_zh) from error
    name = etree.QName(root)
    if name.localname != "Envelope" or name.namespace not in _TYPES:
        raise BadRequest("no SOAP envelope", what_zh="不是 SOAP 报文", hint="see GET /soap?wsdl")
    version = str(name.namespace)
    body = root.find(f"{{{version}}}Body")
    called = None if body is None else next((child for child in body if isinstance(child.tag, str)), None)
    if called is None:
        raise BadRequest("the envelope has no body", what_zh="SOAP 报文没有 Body 内容", hint="see GET /soap?wsdl")
    operation = etree.QName(called)
    if operation.namespace != NAMESPACE or operation.localname not in OPERATIONS:
        raise BadRequest(
            f"no operation {operation.localname}",
            what_zh=f"没有名为 {operation.localname} 的操作",
            hint=f"there are: {', '.join(OPERATIONS)} in {NAMESPACE}",
            hint_zh=f"可用操作：{'、'.join(OPERATIONS)}，命名空间 {NAMESPACE}",
        )
    wrong = wrong_with(called)
    if wrong:
        raise BadRequest(
            wrong, what_zh=f"请求与 WSDL 不符：{wrong}", hint="see GET /soap?wsdl", hint_zh="请对照 WSDL 检查"
        )
    token = root.findtext(f"{{{version}}}Header/{_WSSE}Security/{_WSSE}UsernameToken/{_WSSE}Password", "")
    return Request(version, operation.localname, called, token.strip())


def version_of(data: bytes) -> str:
    """Which SOAP a caller speaks whose message cannot be read."""
    return SOAP_12 if SOAP_12.encode() in data[:4096] else SOAP_11


def media_type(version: str) -> str:
    """The media type of an answer."""
    return _TYPES[version]


def answer(version: str, operation: str, name: str, value: Mapping[str, Any]) -> bytes:
    """A successful answer: `<operationResponse><name>…`."""
    envelope, body = _envelope(version)
    response = etree.SubElement(body, f"{{{NAMESPACE}}}{operation}Response", nsmap={None: NAMESPACE})
    _write(response, name, value)
    return _bytes(envelope)


def fault(version: str, problem: Mapping[str, Any]) -> bytes:
    """The declared fault, from a problem document."""
    envelope, body = _envelope(version)
    ours = int(problem["status"]) >= 500
    element = etree.SubElement(body, f"{{{version}}}Fault")
    said = str(problem["detail"])
    if version == SOAP_11:
        etree.SubElement(element, "faultcode").text = "soap:Server" if ours else "soap:Client"
        etree.SubElement(element, "faultstring").text = _clean(said)
        detail = etree.SubElement(element, "detail")
    else:
        code = etree.SubElement(element, f"{{{version}}}Code")
        etree.SubElement(code, f"{{{version}}}Value").text = "soap:Receiver" if ours else "soap:Sender"
        reason = etree.SubElement(element, f"{{{version}}}Reason")
        text = etree.SubElement(reason, f"{{{version}}}Text")
        text.set("{http://www.w3.org/XML/1998/namespace}lang", "zh")
        text.text = _clean(said)
        detail = etree.SubElement(element, f"{{{version}}}Detail")
    value = {
        "code": problem["code"],
        "title": problem["title"],
        "titleEn": problem["title_en"],
        "text": said,
        "textEn": problem["detail_en"],
        "hint": problem.get("hint", ""),
        "hintEn": problem.get("hint_en", ""),
        "status": problem["status"],
    }
    _write(detail, "HubFault", value)
    return _bytes(envelope)


def _envelope(version: str) -> tuple[etree._Element, etree._Element]:
    envelope = etree.Element(f"{{{version}}}Envelope", nsmap={"soap": version})
    return envelope, etree.SubElement(envelope, f"{{{version}}}Body")


def _write(parent: etree._Element, name: str, value: Any) -> None:
    if isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            _write(parent, name, one)
        return
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}", nsmap={None: NAMESPACE})
    if isinstance(value, Mapping):
        for child, inner in value.items():
            _write(element, child, inner)
    elif isinstance(value, bool):
        element.text = "true" if value else "false"
    else:
        element.text = _clean(str(value))


def _clean(text: str) -> str:
    """Without what XML cannot hold."""
    return _NOT_XML.sub("", text)


def _bytes(envelope: etree._Element) -> bytes:
    return etree.tostring(envelope, encoding="UTF-8", xml_declaration=True)

"""SOAP envelopes written: an answer, and the declared fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lxml import etree

from adapters.soap.contract import NAMESPACE
from adapters.soap.message import SOAP_11, SOAP_12
from adapters.soap.refusal import NotUnderstood

_NOT_XML = re.compile("[^\\t\\n\\r\\x20-\\ud7ff\\ue000-\\ufffd\\U00010000-\\U0010ffff]")
_TYPES = {SOAP_11: "text/xml; charset=utf-8", SOAP_12: "application/soap+xml; charset=utf-8"}


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
    who = _at_fault(version, problem)
    element = etree.SubElement(body, f"{{{version}}}Fault")
    said = str(problem["detail"])
    if version == SOAP_11:
        etree.SubElement(element, "faultcode").text = f"soap:{who}"
        etree.SubElement(element, "faultstring").text = _clean(said)
        detail = etree.SubElement(element, "detail")
    else:
        code = etree.SubElement(element, f"{{{version}}}Code")
        etree.SubElement(code, f"{{{version}}}Value").text = f"soap:{who}"
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


def _at_fault(version: str, problem: Mapping[str, Any]) -> str:
    """The code of a fault, in the words of each version of SOAP."""
    if problem["code"] == NotUnderstood.code:
        return "MustUnderstand"
    ours = int(problem["status"]) >= 500
    if version == SOAP_11:
        return "Server" if ours else "Client"
    return "Receiver" if ours else "Sender"


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

"""The contract of our SOAP service: one WSDL 1.1 file, document/literal wrapped; its schema judges every request."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from lxml import etree

from standards.xml import parse

#: A schema keeps its last errors in itself, so each thread has its own.
_OWN = threading.local()
NAMESPACE = "urn:cn-supervision-hub:soap:1"
#: Head of a name of ours, as lxml writes names.
OURS = f"{{{NAMESPACE}}}"
OPERATIONS = ("submit", "submitXml", "getReceipt", "fetch", "confirm", "sendParcel")
_FILE = Path(__file__).with_name("contract.wsdl")
_XS = "{http://www.w3.org/2001/XMLSchema}"
#: In the file, the place where the codes of the data sets come in.
_DATASET = f"{_XS}simpleType[@name='DatasetId']/{_XS}restriction"

_MESSAGES = """  <wsdl:message name="{0}"><wsdl:part name="parameters" element="tns:{0}"/></wsdl:message>
  <wsdl:message name="{0}Response"><wsdl:part name="parameters" element="tns:{0}Response"/></wsdl:message>
"""
_PORT = """    <wsdl:operation name="{0}">
      <wsdl:input message="tns:{0}"/>
      <wsdl:output message="tns:{0}Response"/>
      <wsdl:fault name="HubFault" message="tns:HubFault"/>
    </wsdl:operation>
"""
_BINDING = """    <wsdl:operation name="{0}">
      <soap:operation soapAction="urn:cn-supervision-hub:soap:1/{0}"/>
      <wsdl:input><soap:body use="literal"/></wsdl:input>
      <wsdl:output><soap:body use="literal"/></wsdl:output>
      <wsdl:fault name="HubFault"><soap:fault name="HubFault" use="literal"/></wsdl:fault>
    </wsdl:operation>
"""


def wsdl(address: str, datasets: Mapping[str, str]) -> bytes:
    """The contract for callers; `address` is where they reach us, `datasets` the titles of the data sets by id."""
    root = parse(_contract())
    for element in root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address"):
        element.set("location", address)
    choices = _schema_in(root).find(_DATASET)
    assert choices is not None
    for name, title in datasets.items():
        choice = etree.SubElement(choices, f"{_XS}enumeration", value=name)
        note = etree.SubElement(etree.SubElement(choice, f"{_XS}annotation"), f"{_XS}documentation")
        note.text = title
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


@cache
def _contract() -> bytes:
    """The file with its operations."""
    parts = [
        *(_MESSAGES.format(name) for name in OPERATIONS),
        '  <wsdl:message name="HubFault"><wsdl:part name="fault" element="tns:HubFault"/></wsdl:message>\n',
        '  <wsdl:portType name="HubPortType">\n',
        *(_PORT.format(name) for name in OPERATIONS),
        '  </wsdl:portType>\n  <wsdl:binding name="HubBinding" type="tns:HubPortType">\n',
        '    <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>\n',
        *(_BINDING.format(name) for name in OPERATIONS),
        "  </wsdl:binding>",
    ]
    return _FILE.read_text("utf-8").replace("@OPERATIONS@", "".join(parts)).encode()


def _schema_in(root: etree._Element) -> etree._Element:
    found = root.find(f".//{_XS}schema")
    assert found is not None
    return found


@cache
def _schema() -> bytes:
    """The schema on its own; which data sets there are is not its matter."""
    return etree.tostring(_schema_in(parse(_contract())))


@cache
def _order() -> Mapping[str, Mapping[str, int]]:
    """By operation: its parts in their order."""
    found: dict[str, dict[str, int]] = {}
    for element in parse(_schema()).iterfind(f"{_XS}element"):
        parts = element.iterfind(f"{_XS}complexType/{_XS}sequence/{_XS}element")
        found[f"{OURS}{element.get('name')}"] = {f"{OURS}{part.get('name')}": n for n, part in enumerate(parts)}
    return found


def wrong_with(body: etree._Element) -> str:
    """What the schema says against a request; '' when nothing.  The order of its parts is forgiven."""
    schema: etree.XMLSchema | None = getattr(_OWN, "schema", None)
    if schema is None:
        schema = _OWN.schema = etree.XMLSchema(parse(_schema()))
    order = _order()[str(body.tag)]
    body[:] = sorted(body, key=lambda part: order.get(str(part.tag), len(order)))
    if schema.validate(body):
        return ""
    first = schema.error_log[0]
    return str(first.message).replace(OURS, "")[:300]

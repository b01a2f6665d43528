"""The contract of our SOAP service: one WSDL 1.1 file, document/literal wrapped; its schema judges every request."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from xml.sax.saxutils import escape

from lxml import etree

from standards.xml import parse

#: A schema keeps its last errors in itself, so each thread has its own.
_OWN = threading.local()
NAMESPACE = "urn:cn-supervision-hub:soap:1"
OPERATIONS = ("submit", "submitXml", "getReceipt", "fetch", "confirm", "sendParcel")
_FILE = Path(__file__).with_name("contract.wsdl")
_XSD = "{http://www.w3.org/2001/XMLSchema}schema"

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


def wsdl(address: str, datasets: Iterable[str]) -> bytes:
    """The contract for callers; `address` is where they reach us."""
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
    text = _FILE.read_text("utf-8").replace("@OPERATIONS@", "".join(parts))
    return text.replace("@ADDRESS@", escape(address)).replace("@DATASETS@", escape(", ".join(datasets))).encode()


@cache
def schema_document() -> bytes:
    """The schema that stands in the contract, on its own."""
    root = parse(wsdl("http://localhost/soap", ()))
    found = root.find(f".//{_XSD}")
    assert found is not None
    return etree.tostring(found)


def wrong_with(body: etree._Element) -> str:
    """What the schema says against a request; '' when nothing."""
    schema: etree.XMLSchema | None = getattr(_OWN, "schema", None)
    if schema is None:
        schema = _OWN.schema = etree.XMLSchema(parse(schema_document()))
    document = deepcopy(body)  # out of its envelope
    if schema.validate(document):
        return ""
    first = schema.error_log[0]
    return str(first.message).replace(f"{{{NAMESPACE}}}", "")[:300]

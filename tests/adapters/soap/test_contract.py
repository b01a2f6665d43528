"""The contract as others read it: a WSDL whose schema judges requests and names the data sets."""

from __future__ import annotations

from collections.abc import Callable

import httpx2
import pytest
from lxml import etree

from adapters.soap.contract import NAMESPACE, OPERATIONS, wsdl
from standards.registry import built_in
from tests.adapters.soap.conftest import Service

WSDL = "{http://schemas.xmlsoap.org/wsdl/}"
XS = "{http://www.w3.org/2001/XMLSchema}"
RECORD = "<record><field><name>a</name><value>1</value></field></record>"


@pytest.fixture(scope="module")
def served(service: Service) -> etree._Element:
    return etree.fromstring(httpx2.get(service.wsdl).content)


@pytest.fixture(scope="module")
def judge(served: etree._Element) -> Callable[[str], bool]:
    schema = etree.XMLSchema(served.find(f".//{XS}schema"))
    return lambda text: schema.validate(etree.fromstring(text.replace(">", f' xmlns="{NAMESPACE}">', 1)))


@pytest.mark.parametrize(
    "text",
    [
        f"<submit><connection>x</connection>{RECORD}{RECORD}</submit>",
        f"<submit><key>k</key><connection>x</connection><id>1</id><dataset>check_action</dataset>"
        f"<waitSeconds>60</waitSeconds>{RECORD}</submit>",
        "<submitXml><connection>x</connection><content>&lt;a/></content></submitXml>",
        "<getReceipt><key>k</key><receiptNo>1</receiptNo><after>500</after></getReceipt>",
    ],
)
def test_the_schema_of_the_contract_accepts_a_request(judge: Callable[[str], bool], text: str) -> None:
    assert judge(text)


@pytest.mark.parametrize(
    "text",
    [
        "<submit><connection>x</connection></submit>",
        f"<submit>{RECORD}</submit>",
        f"<submit><connection>x</connection><dataset>check_acton</dataset>{RECORD}</submit>",
        f"<submit><connection>x</connection><waitSeconds>soon</waitSeconds>{RECORD}</submit>",
        "<getReceipt><after>1</after></getReceipt>",
    ],
)
def test_the_schema_of_the_contract_refuses_a_request(judge: Callable[[str], bool], text: str) -> None:
    assert not judge(text)


def test_the_data_sets_are_those_of_the_standard_with_their_titles(served: etree._Element) -> None:
    standard = built_in()
    choices = served.findall(f".//{XS}simpleType[@name='DatasetId']/{XS}restriction/{XS}enumeration")

    assert {choice.get("value"): "".join(choice.itertext()) for choice in choices} == {
        name: standard.dataset(name).title for name in standard.ids()
    }


def test_every_operation_declares_the_fault_and_answers_with_one_part(served: etree._Element) -> None:
    for operation in OPERATIONS:
        port = served.find(f"{WSDL}portType/{WSDL}operation[@name='{operation}']")
        assert port is not None
        assert [f.get("message") for f in port.findall(f"{WSDL}fault")] == ["tns:HubFault"]
        parts = served.findall(f".//{XS}element[@name='{operation}Response']/{XS}complexType/{XS}sequence/{XS}element")
        assert len(parts) == 1, "with more than one, Java's callers get holders"


def test_the_address_in_the_contract_is_the_one_that_callers_reach() -> None:
    root = etree.fromstring(wsdl("https://hub.example/soap?a=1&b=2", {}))

    (address,) = root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == "https://hub.example/soap?a=1&b=2"

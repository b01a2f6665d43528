"""Our SOAP service, called by zeep and by hand: success, the declared fault, hostile messages."""

from __future__ import annotations

import json
from datetime import date
from itertools import count
from typing import Any

import httpx2
import pytest
import zeep
from lxml import etree
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from adapters.soap.contract import NAMESPACE, OPERATIONS, wsdl
from adapters.soap.message import SOAP_11, SOAP_12
from demo import ecology
from standards.registry import built_in
from standards.samples import Samples
from tests.adapters.soap.conftest import Service
from tests.hub.city import until

STANDARD = built_in()
CHECKS = STANDARD.dataset("check_action")
_seeds = count(1)


def records(number: int) -> list[dict[str, str]]:
    return list(Samples(CHECKS, STANDARD, seed=next(_seeds) * 1000, today=date(2025, 6, 30)).records(number))


def fields(record: dict[str, str]) -> dict[str, Any]:
    return {"field": [{"name": name, "value": value} for name, value in record.items()]}


@pytest.fixture(scope="module")
def client(service: Service) -> zeep.Client:
    return zeep.Client(service.wsdl)


def test_the_contract_has_every_operation_and_can_be_used_by_java(client: zeep.Client) -> None:
    operations = next(iter(client.wsdl.bindings.values())).all()
    assert set(operations) == set(OPERATIONS)
    text = httpx2.get(client.wsdl.location).text
    assert 'name="Record"' not in text, "it would hide java.lang.Record"


def test_records_are_taken_judged_and_answered_with_their_findings(client: zeep.Client, service: Service) -> None:
    good, bad = records(2)
    bad["area_number"] = "149999"
    said = client.service.submit(
        key=service.key, connection="soap-checks", id="zeep-1", waitSeconds=20, record=[fields(good), fields(bad)]
    )
    assert (said.read, said.accepted, said.rejected) == (2, 1, 1)
    assert [(f.row, f.element, f.code, f.place) for f in said.findings if f.severity == "error"] == [
        (2, "area_number", "10005.region", "/submit/record[2]")
    ]
    assert "行政区划" in said.findings[0].text
    assert said.findings[0].hint

    again = client.service.submit(
        key=service.key, connection="soap-checks", id="zeep-1", waitSeconds=20, record=[fields(good), fields(bad)]
    )
    assert again.receiptNo == said.receiptNo
    assert again.repeated

    later = client.service.getReceipt(key=service.key, receiptNo=said.receiptNo)
    assert later.accepted == 1


def test_a_supplier_sends_a_whole_document_in_one_string(client: zeep.Client, service: Service) -> None:
    xml = b"".join(ecology.pieces(ecology.rows(3, seed=77, first=7000), encoding="utf-8")).decode()
    said = client.service.submitXml(key=service.key, connection="ecology-penalties", waitSeconds=20, content=xml)
    assert (said.read, said.accepted) == (3, 3)


def test_the_key_may_stand_in_a_username_token_or_the_header(service: Service) -> None:
    one = zeep.Client(service.wsdl, wsse=UsernameToken("ecology", service.key))
    said = one.service.submit(connection="soap-checks", waitSeconds=20, record=[fields(records(1)[0])])
    assert said.accepted == 1
    plain = zeep.Client(service.wsdl)
    plain.transport.session.headers["authorization"] = f"Bearer {service.key}"
    assert plain.service.getReceipt(receiptNo=said.receiptNo).accepted == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"key": "wrong", "connection": "soap-checks"}, "wrong-key"),
        ({"connection": "soap-checks"}, "wrong-key"),
        ({"key": "own", "connection": "soap-check"}, "unknown-name"),
        ({"key": "own", "connection": "market-penalties"}, "not-allowed"),
    ],
)
def test_a_refusal_is_the_declared_fault(
    client: zeep.Client, service: Service, words: dict[str, str], code: str
) -> None:
    words = {**words, **({"key": service.key} if words.get("key") == "own" else {})}
    with pytest.raises(Fault) as caught:
        client.service.submit(**words, record=[fields(records(1)[0])])
    detail = client.wsdl.types.get_element(f"{{{NAMESPACE}}}HubFault").parse(caught.value.detail[0], client.wsdl.types)
    assert detail.code == code
    assert detail.text == caught.value.message
    assert detail.textEn


def test_the_mailbox_is_fetched_and_confirmed(client: zeep.Client, service: Service) -> None:
    record = records(1)[0]
    said = client.service.submit(key=service.key, connection="soap-checks", waitSeconds=20, record=[fields(record)])
    found: list[Any] = []

    def there() -> bool:
        letters = client.service.fetch(key=service.market, limit=50) or []
        found[:] = [letter for letter in letters if record["check_action_code"] in letter.event]
        return bool(found)

    until(there)
    event = json.loads(found[0].event)
    cd_id = event["data"]["records"][0]["cd_id"]
    line = {"cdId": cd_id, "result": "refused", "code": "E1", "element": "", "message": "不收"}
    state = client.service.confirm(key=service.market, parcel=found[0].parcel, line=[line])
    assert state.state == "refused"
    later = client.service.getReceipt(key=service.key, receiptNo=said.receiptNo)
    assert [(f.code, f.text) for f in later.findings if f.code == "E1"] == [("E1", "不收")]
    with pytest.raises(Fault):
        client.service.confirm(key=service.market, parcel="no uuid")


def post(service: Service, body: bytes, **headers: str) -> tuple[int, etree._Element]:
    answer = httpx2.post(f"{service.running.address}/soap", content=body, headers=headers, timeout=60)
    return answer.status_code, etree.fromstring(answer.content)


def envelope(inner: str, version: str = SOAP_11) -> bytes:
    return f'<s:Envelope xmlns:s="{version}"><s:Body>{inner}</s:Body></s:Envelope>'.encode()


def fault_of(root: etree._Element) -> str:
    return str(root.findtext(f".//{{{NAMESPACE}}}HubFault/{{{NAMESPACE}}}code"))


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>' + envelope(
    "<x>&b;</x>"
)
FILE = b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + envelope("<x>&e;</x>")
DEEP = envelope("<a>" * 100_000 + "</a>" * 100_000)


HOSTILE = {
    "empty": b"",
    "no xml": b"not xml at all",
    "no envelope": b"<a/>",
    "not well-formed": b"<a><b></a>",
    "bomb": BOMB,
    "file": FILE,
    "deep": DEEP,
    "no operation": envelope(""),
    "unknown": envelope("<unknown/>"),
    "unknown of ours": envelope(f'<drop xmlns="{NAMESPACE}"/>'),
    "no record": envelope(f'<submit xmlns="{NAMESPACE}"><connection>x</connection></submit>'),
    "no number": envelope(f'<getReceipt xmlns="{NAMESPACE}"/>'),
    "two operations": envelope(f'<fetch xmlns="{NAMESPACE}"/><fetch xmlns="{NAMESPACE}"/>'),
    "text only": envelope("x" * 40_000_000),
    "many elements": envelope("<a/>" * 5_000_000),
    "many attributes": envelope("<a " + " ".join(f"a{n}='1'" for n in range(1_000_000)) + "/>"),
    "a long tag": envelope("<" + "a" * 30_000_000 + "/>"),
    "a comment": envelope("<!--" + "a" * 30_000_000 + "-->"),
    "a header": envelope("").replace(b"<s:Body>", b"<s:Header><h>" + b"x" * 20_000_000 + b"</h></s:Header><s:Body>"),
    "binary": b"\xff\xfe\x00",
    "multipart": b"--x\r\ncontent-type: text/xml\r\n\r\n<a/>\r\n--x--",
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_hostile_and_broken_messages_are_answered_with_the_fault(service: Service, body: bytes) -> None:
    status, root = post(service, body, **{"content-type": "text/xml"})
    assert status == 500
    assert fault_of(root) in ("bad-request", "payload-too-large")
    assert root.findtext(".//faultstring")
    assert "root:" not in etree.tostring(root).decode()


def test_soap_12_and_old_encodings_are_understood(service: Service) -> None:
    xml = f'<getReceipt xmlns="{NAMESPACE}"><key>{service.key}</key><receiptNo>没有</receiptNo></getReceipt>'
    body = b'<?xml version="1.0" encoding="GBK"?>' + envelope(xml, SOAP_12).decode().encode("gbk")
    status, root = post(service, body, **{"content-type": "application/soap+xml"})
    assert status == 500
    assert root.tag == f"{{{SOAP_12}}}Envelope"
    assert fault_of(root) == "unknown-name"
    assert "没有" in str(root.findtext(f".//{{{SOAP_12}}}Text"))


def test_the_address_in_the_contract_is_the_one_that_callers_reach() -> None:
    text = wsdl("https://hub.example/soap?a=1&b=2", {"check_action": "检查"}).decode()
    root = etree.fromstring(text.encode())
    (address,) = root.iter("{http://schemas.xmlsoap.org/wsdl/soap/}address")
    assert address.get("location") == "https://hub.example/soap?a=1&b=2"
    assert "check_action" in text

"""Our SOAP service, called by zeep and by hand: success, the declared fault, hostile messages."""

from __future__ import annotations

import json
from codecs import BOM_UTF8
from datetime import date
from itertools import count
from typing import Any

import httpx2
import pytest
import zeep
from lxml import etree
from typer.testing import CliRunner
from zeep.exceptions import Fault
from zeep.wsse.username import UsernameToken

from adapters.soap.contract import NAMESPACE, OPERATIONS
from adapters.soap.message import SOAP_11, SOAP_12
from demo import ecology
from hub.cli.main import app
from standards.digest import Sm3Stream
from standards.registry import built_in
from standards.samples import Samples
from tests.adapters.soap.conftest import Service
from tests.hub.city import until

STANDARD = built_in()
CHECKS = STANDARD.dataset("check_action")
_seeds, _numbers = count(1), count(20250100001)


def records(number: int) -> list[dict[str, str]]:
    """Good records, none of which was there before."""
    made = Samples(CHECKS, STANDARD, seed=next(_seeds) * 1000, today=date(2025, 6, 30)).records(number)
    return [{**record, "check_action_code": str(next(_numbers))} for record in made]


def fields(record: dict[str, str]) -> dict[str, Any]:
    return {"field": [{"name": name, "value": value} for name, value in record.items()]}


def refused(client: zeep.Client, operation: str, **words: Any) -> str:
    """The code of the fault that a call is answered with."""
    with pytest.raises(Fault) as caught:
        client.service[operation](**words)
    return str(caught.value.detail.findtext(f"{{{NAMESPACE}}}HubFault/{{{NAMESPACE}}}code"))


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


def test_a_string_is_kept_as_it_is_and_not_taken_for_the_encoding_of_the_files(
    client: zeep.Client, service: Service
) -> None:
    """The settings of one connection are for files in GB18030; a string of SOAP has no encoding of its own."""
    for connection, head, first in (("ecology-penalties", b"", 7100), ("soap-penalties", BOM_UTF8, 7200)):
        text = b"".join(ecology.pieces(ecology.rows(2, seed=78, first=first), encoding="utf-8")).decode()
        content = text.replace("\r\n", "\n")
        said = client.service.submitXml(key=service.key, connection=connection, waitSeconds=20, content=content)
        assert (said.read, said.accepted) == (2, 2), said
        digest = Sm3Stream()
        digest.update(head + content.encode())
        assert service.receipt(said.receiptNo)["file"]["digest"] == digest.hexdigest()


def test_an_envelope_in_gbk_with_a_document_in_gbk_within_is_read(service: Service) -> None:
    (row,) = ecology.rows(1, seed=79, first=7900)
    names = [name.replace("(万元)", "") for name in ecology.HEADER]
    cells = "".join(f"<{name}>{value}</{name}>" for name, value in zip(names, row.values, strict=True))
    document = f'<?xml version="1.0" encoding="GBK"?><处罚列表><处罚>{cells}</处罚></处罚列表>'
    call = (
        f'<submitXml xmlns="{NAMESPACE}"><key>{service.key}</key><connection>ecology-penalties</connection>'
        f"<waitSeconds>20</waitSeconds><content><![CDATA[{document}]]></content></submitXml>"
    )
    body = b'<?xml version="1.0" encoding="GBK"?>' + envelope(call).decode().encode("gbk")

    status, root = post(service, body, **{"content-type": "text/xml; charset=GBK"})

    assert status == 200, etree.tostring(root)
    found = service.receipt(str(root.findtext(f".//{{{NAMESPACE}}}receiptNo")))
    assert (found["counts"]["read"], found["file"]["format"], found["file"]["encoding"]) == (1, "xml", "utf-8")
    assert "10009.declared" not in json.dumps(found)
    wrong = {f["element"] for one in found["records"] for f in one["findings"] if f["severity"] == "error"}
    assert wrong <= {"fine", "confiscate_amount"}, "only the columns whose names XML cannot hold may be missing"


def test_the_same_id_gives_the_same_receipt_and_other_content_the_fault(client: zeep.Client, service: Service) -> None:
    call = {"key": service.key, "connection": "ecology-penalties", "id": "string-1"}
    first = client.service.submitXml(**call, content="案件编号\n1\n")

    again = client.service.submitXml(**call, content="案件编号\n1\n", waitSeconds=20)

    assert (again.receiptNo, again.repeated, first.repeated) == (first.receiptNo, True, False)
    assert again.state in ("judged", "settled")
    assert refused(client, "submitXml", **call, content="案件编号\n2\n") == "idempotency-conflict"
    assert refused(client, "submitXml", **{**call, "id": "x" * 201}, content="案件编号\n1\n") == "bad-request"


def test_a_receipt_of_many_findings_is_asked_for_page_by_page(client: zeep.Client, service: Service) -> None:
    text = b"".join(ecology.pieces(ecology.rows(620, seed=5, first=20_000, faults=1.0), encoding="utf-8")).decode()
    said = client.service.submitXml(key=service.key, connection="ecology-penalties", waitSeconds=60, content=text)

    first = client.service.getReceipt(key=service.key, receiptNo=said.receiptNo)
    second = client.service.getReceipt(key=service.key, receiptNo=said.receiptNo, after=first.next)

    assert (first.rejected, second.next) == (620, None)
    told = {finding.row for page in (first, second) for finding in page.findings if finding.severity == "error"}
    assert told == set(range(1, 621))


def test_a_receipt_of_another_party_is_not_there(client: zeep.Client, service: Service) -> None:
    said = client.service.submitXml(key=service.key, connection="ecology-penalties", content="案件编号\n3\n")

    assert refused(client, "getReceipt", key=service.market, receiptNo=said.receiptNo) == "unknown-name"


def test_the_key_may_stand_in_a_username_token_or_the_header(service: Service) -> None:
    one = zeep.Client(service.wsdl, wsse=UsernameToken("ecology", service.key))
    said = one.service.submit(connection="soap-checks", waitSeconds=20, record=[fields(records(1)[0])])
    assert said.accepted == 1
    plain = zeep.Client(service.wsdl)
    plain.transport.session.headers["authorization"] = f"Bearer {service.key}"
    assert plain.service.getReceipt(receiptNo=said.receiptNo).accepted == 1


def test_a_username_token_names_its_party_and_holds_the_key_itself(service: Service) -> None:
    other = zeep.Client(service.wsdl, wsse=UsernameToken("market", service.key))
    digest = zeep.Client(service.wsdl, wsse=UsernameToken("ecology", service.key, use_digest=True))

    for one in (other, digest):
        assert refused(one, "getReceipt", receiptNo="1") == "wrong-key"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ({"key": "wrong", "connection": "soap-checks"}, "wrong-key"),
        ({"connection": "soap-checks"}, "wrong-key"),
        ({"key": "own", "connection": "soap-check"}, "unknown-name"),
        ({"key": "own", "connection": "market-penalties"}, "not-allowed"),
        ({"key": "own", "connection": "soap-checks", "dataset": "punish_action"}, "bad-request"),
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


def test_a_header_that_must_be_understood_and_is_not_has_its_own_code(service: Service) -> None:
    header = b'<s:Header><h:Pay xmlns:h="urn:h" s:mustUnderstand="1"/></s:Header>'

    _, root = post(service, envelope("").replace(b"<s:Body>", header + b"<s:Body>"))

    assert (root.findtext(".//faultcode"), fault_of(root)) == ("soap:MustUnderstand", "not-understood")


def test_a_mistake_of_ours_is_the_fault_too_and_says_nothing_of_the_inside(
    client: zeep.Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr("hub.api.soap.may_use", broken)

    with pytest.raises(Fault) as caught:
        client.service.submitXml(key=service.key, connection="ecology-penalties", content="x")

    assert caught.value.code == "soap:Server"
    assert "secret" not in etree.tostring(caught.value.detail).decode() + caught.value.message


def test_the_check_of_the_settings_says_that_the_data_come_by_themselves(service: Service) -> None:
    config = service.running.hub.state.parent / "hub.toml"

    said = CliRunner().invoke(app, ["check", "--config", str(config), "--json"])

    results = {one["what"]: (one["ok"], one["said"]) for one in json.loads(said.stdout)}
    assert results["connection soap-checks"] == (True, "由对方推送 pushed to us")

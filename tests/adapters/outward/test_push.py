"""`form_push` and `soap_push` keep to what every destination must keep to, in a receiver's own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.conformance import DestinationConformance, Stored
from adapters.conformance.parcels import a_parcel, a_record, around, contents, some
from adapters.form_push import FormPush, FormPushSettings
from adapters.simulators.service import HangUp, Service
from adapters.simulators.unpacking import rows_in, rows_in_body
from adapters.soap_push import SoapPush, SoapPushSettings
from mappings.outward import OutFile, OutForm
from standards import xml
from standards.errors import AnswerNotUnderstood, BadConfiguration, HubError, ReceiverRefused, SystemBusy
from standards.parcel import Result
from tests.services.tcp_proxy import TcpProxy

FORM: dict[str, Any] = {
    "form": "试验",
    "dataset": "punish_action",
    "key": ["head/id"],
    "columns": {
        "head/id": "cd_id",
        "head/op": "cd_operation",
        "digest": "content_digest",
        "batch": "cd_batch",
        "area": "area_number",
        "fine": {"from": "fine", "unit": "元", "to": "万元", "places": 6},
        "date": {"from": "set_date", "date": "%Y/%m/%d"},
    },
    "omit": ["*"],
}
JSON_WIRE = {"rows": "json", "wrap": '{"rows":[{rows}]}'}
XML_WIRE = {"rows": "xml", "row": "ROW", "wrap": "<DATA>{rows}</DATA>"}
WSDL = Path(__file__).parents[3] / "adapters" / "systems" / "wsdl" / "credit_china.wsdl"


class Behind:
    """A receiver that keeps rows by key, the highest batch wins, and can lose its answers."""

    def __init__(self, form: OutForm, soap: bool) -> None:
        self.form, self.soap = form, soap
        self.rows: dict[str, list[dict[str, Any]]] = {}
        self.losing = False
        self.says: bytes | None = None

    def answer(self, _method: str, _path: str, _query: Any, _headers: Any, body: bytes) -> tuple[bytes, str]:
        if not body:
            return b"{}", "application/json"
        told = []
        for number, row in enumerate(self._rows(body), 1):
            if row["area"] == "000000":
                told.append((number, row))
                continue
            held = self.rows.setdefault(row["head"]["id"], [])
            if row not in held:
                held.append(row)
                held.sort(key=lambda r: r["batch"])
        if self.losing:
            raise HangUp
        if self.says is not None:
            return self.says, "text/xml" if self.soap else "application/json"
        return self._told(told)

    def _rows(self, body: bytes) -> list[dict[str, Any]]:
        if not self.soap:
            return rows_in(body, self.form.file.wire)
        argument = next(e for e in xml.parse(body).iter() if isinstance(e.tag, str) and xml.local(e.tag) == "xml")
        return rows_in_body(argument.text or "", self.form.file.wire)

    def _told(self, told: list[tuple[int, dict[str, Any]]]) -> tuple[bytes, str]:
        if not self.soap:
            errors = [{"id": row["head"]["id"], "field": "area", "msg": "区划未登记"} for _, row in told]
            return json.dumps({"code": "1" if told else "0", "no": "R1", "errors": errors}).encode(), "application/json"
        lines = "".join(f"<ERROR><ROW>{n}</ROW><COL>area</COL><MSG>区划未登记</MSG></ERROR>" for n, _ in told)
        return soap_answer(f"<RESULT><CODE>{'01' if told else '00'}</CODE>{lines}</RESULT>"), "text/xml; charset=utf-8"

    def control(self, _method: str, path: str, _body: dict[str, Any]) -> Any:
        raise KeyError(path)


def soap_answer(text: str) -> bytes:
    inner = text.replace("<", "&lt;")
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        '<r:importPenalyXmlResponse xmlns:r="http://service.credit.gov.cn/">'
        f"<importPenalyXmlReturn>{inner}</importPenalyXmlReturn></r:importPenalyXmlResponse></s:Body></s:Envelope>"
    ).encode()


JSON_ANSWER = {"read": "json", "code": "code", "ok": ["0"], "busy": ["9"], "receipt": "no", "lines": "errors",
               "key": "id", "element": "field", "message": "msg"}  # fmt: skip
XML_ANSWER = {"read": "xml", "code": "RESULT/CODE", "ok": ["00"], "busy": ["99"], "lines": "RESULT/ERROR",
              "row": "ROW", "element": "COL", "message": "MSG"}  # fmt: skip


class FormRig:
    """A receiver with words of its own, and a proxy before it."""

    knows_revisions = False

    def __init__(self, make_proxy: Callable[[int], TcpProxy], soap: bool) -> None:
        parts = {"wire": XML_WIRE, "answer": XML_ANSWER} if soap else {"wire": JSON_WIRE, "answer": JSON_ANSWER}
        form = OutForm.of("t/x", OutFile.model_validate({**FORM, **parts}))
        self.behind = Behind(form, soap)
        self.service = Service(self.behind)
        self.service.start()
        self.proxy = make_proxy(urlsplit(self.service.url).port or 0)
        url = self.proxy.url(f"{self.service.url}/in")
        surroundings = replace(around(), form=lambda _name: form)
        self.destination: Any
        if soap:
            words = {"wsdl": str(WSDL), "operations": {"punish_action": "importPenalyXml"}}
            given = {"url": url, "forms": {"punish_action": "t/x"}, "connect_seconds": 2, "answer_seconds": 5, **words}
            self.destination = SoapPush(SoapPushSettings.model_validate(given), surroundings)
        else:
            given = {"url": url, "forms": {"punish_action": "t/x"}, "quick_tries": 1, "connect_seconds": 2}
            self.destination = FormPush(FormPushSettings.model_validate(given), surroundings)

    def stored(self) -> dict[str, Stored]:
        return {key: Stored(held[-1]["head"]["op"], held[-1]["digest"]) for key, held in self.behind.rows.items()}

    def spoil(self, content: dict[str, str]) -> tuple[dict[str, str], str]:
        return {**content, "area_number": "000000"}, "area_number"

    def work(self) -> None:
        pass

    def take_away(self) -> None:
        self.proxy.refuse()

    def bring_back(self) -> None:
        self.behind.losing = False
        self.proxy.heal()

    def lose_answers(self) -> None:
        self.behind.losing = True

    def close(self) -> None:
        self.destination.close()
        self.service.stop()


@pytest.mark.contract(suite="destination", on="form_push")
class TestFormPush(DestinationConformance):
    @pytest.fixture
    def rig(self, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[FormRig]:
        rig = FormRig(tcp_proxy, soap=False)
        yield rig
        rig.close()


@pytest.mark.contract(suite="destination", on="soap_push")
class TestSoapPush(DestinationConformance):
    @pytest.fixture
    def rig(self, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[FormRig]:
        rig = FormRig(tcp_proxy, soap=True)
        yield rig
        rig.close()


@pytest.fixture(params=[False, True], ids=["form_push", "soap_push"])
def rig(request: pytest.FixtureRequest, tcp_proxy: Callable[[int], TcpProxy]) -> Iterator[FormRig]:
    rig = FormRig(tcp_proxy, soap=request.param)
    yield rig
    rig.close()


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("no such thing", AnswerNotUnderstood),
        ('{"errors": []}|<RESULT><X/></RESULT>', AnswerNotUnderstood),
        ('{"code": "9"}|<RESULT><CODE>99</CODE></RESULT>', SystemBusy),
        ('{"code": "7", "msg": "未授权"}|<RESULT><CODE>07</CODE></RESULT>', ReceiverRefused),
        ('{"code":"1","errors":[{"id":"whose","msg":"x"}]}|<RESULT><CODE>01</CODE><ERROR><ROW>77</ROW></ERROR></RESULT>',
         AnswerNotUnderstood),
    ],
)  # fmt: skip
def test_an_answer_that_is_no_yes_is_told_by_who_must_act(rig: FormRig, said: str, error: type[HubError]) -> None:
    in_json, _, in_xml = said.partition("|")
    rig.behind.says = soap_answer(in_xml or in_json) if rig.behind.soap else in_json.encode()
    with pytest.raises(error):
        rig.destination.deliver(some(3))


def test_a_record_that_the_form_cannot_hold_is_refused_and_its_neighbours_go(rig: FormRig) -> None:
    good = contents(3)
    records = [a_record(good[0]), a_record({**good[1], "fine": "viel"}), a_record(good[2])]
    answer = rig.destination.deliver(a_parcel(records))
    assert [(line.cd_id, line.result, line.element) for line in answer.lines] == [
        (records[1].cd_id, Result.REFUSED, "fine")
    ]
    assert set(rig.behind.rows) == {records[0].cd_id, records[2].cd_id}


def test_a_parcel_of_which_nothing_fits_is_not_sent(rig: FormRig) -> None:
    record = a_record({**contents(1)[0], "fine": "viel"})
    assert len(rig.destination.deliver(a_parcel([record])).lines) == 1
    assert not rig.behind.rows


def test_a_data_set_without_a_form_is_a_matter_of_the_settings(rig: FormRig) -> None:
    with pytest.raises(BadConfiguration):
        rig.destination.deliver(some(1, "check_action"))

"""`POST /v1/submissions`, `/v1/receipts`, `/v1/judge`: what senders hold us to."""

from __future__ import annotations

import io
import itertools
import json
import socket
import zipfile
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
import xlsxwriter
from sqlalchemy import func, select

from demo.ecology import HEADER, pieces, rows
from hub.ledger.tables import payload, submission
from standards.digest import Sm3Stream
from tests.hub.api.conftest import Door

JSON_PROBLEM = "application/problem+json"


def csv_of(count: int, first: int, **words: Any) -> bytes:
    return b"".join(pieces(rows(count, first=first, **words)))


def as_dicts(count: int, first: int) -> list[dict[str, str]]:
    return [dict(zip(HEADER, row.values, strict=True)) for row in rows(count, first=first)]


def xml_of(count: int, first: int) -> bytes:
    text = ["<?xml version='1.0' encoding='GBK'?><处罚列表>"]
    for one in as_dicts(count, first):
        cells = "".join(f"<{k.replace('(万元)', '_万元')}>{v}</{k.replace('(万元)', '_万元')}>" for k, v in one.items())
        text.append(f"<处罚>{cells}</处罚>")
    return "".join([*text, "</处罚列表>"]).encode("gbk")


def xlsx_of(count: int, first: int) -> bytes:
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("处罚")
        sheet.write_row(0, 0, HEADER)
        for n, row in enumerate(rows(count, first=first), 1):
            sheet.write_row(n, 0, row.values)
    return stream.getvalue()


def zip_of(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "."), data)
    return stream.getvalue()


FORMS = {
    "csv": (lambda: csv_of(5, 1001), "text/csv", 5),
    "json": (lambda: json.dumps(as_dicts(5, 2001), ensure_ascii=False).encode(), "application/json", 5),
    "ndjson": (
        lambda: "\n".join(json.dumps(d, ensure_ascii=False) for d in as_dicts(5, 3001)).encode(),
        "application/x-ndjson",
        5,
    ),
    "xlsx": (
        lambda: xlsx_of(5, 4001),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        5,
    ),
    "zip": (lambda: zip_of(a__csv=csv_of(3, 5001), b__csv=csv_of(2, 5101)), "application/zip", 5),
    "unnamed": (lambda: csv_of(5, 6001), "application/octet-stream", 5),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_read_judged_and_delivered(door: Door, form: str) -> None:
    make, kind, count = FORMS[form]

    answer = door.ecology.post(
        "/v1/submissions",
        params={"connection": "ecology-penalties", "wait": 30, "wait_for": "settled"},
        content=make(),
        headers={"content-type": kind},
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"]["accepted"] == count
    assert answer.json()["state"] == "settled"


def test_xml_in_gbk_is_read_by_its_declaration(door: Door) -> None:
    answer = door.ecology.post(
        "/v1/judge",
        params={"connection": "ecology-penalties"},
        content=xml_of(3, 7001),
        headers={"content-type": "application/xml"},
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["counts"]["read"] == 3
    assert answer.json()["encoding"].lower().startswith("gb")


def test_without_waiting_the_receipt_number_comes_at_once(door: Door) -> None:
    answer = door.ecology.post("/v1/submissions", params={"connection": "ecology-penalties"}, content=csv_of(2, 8001))

    assert answer.status_code == 202
    number = answer.json()["receipt_no"]
    assert answer.headers["location"] == f"/v1/receipts/{number}"
    assert door.ecology.get(f"/v1/receipts/{number}").status_code == 200


def test_an_id_that_is_repeated_gives_the_same_receipt_as_it_stands_now(door: Door) -> None:
    call = {
        "params": {"connection": "ecology-penalties"},
        "content": csv_of(3, 9001),
        "headers": {"idempotency-key": "one"},
    }
    first = door.ecology.post("/v1/submissions", **call).json()
    door.ecology.post("/v1/submissions", **{**call, "params": {**call["params"], "wait": 30, "wait_for": "settled"}})

    again = door.ecology.post("/v1/submissions", **call)

    assert again.status_code == 200
    assert again.json()["receipt_no"] == first["receipt_no"]
    assert again.json()["repeated"] is True
    assert again.json()["state"] == "settled"
    other = door.ecology.post("/v1/submissions", **{**call, "content": csv_of(3, 9101)})
    assert (other.status_code, other.json()["code"]) == (409, "idempotency-conflict")


PROBLEMS: dict[str, tuple[dict[str, Any], int]] = {
    "no key": ({"headers": {"authorization": ""}}, 401),
    "a wrong key": ({"headers": {"authorization": "Bearer nonsense"}}, 401),
    "an unknown connection": ({"params": {"connection": "ecology-penalty"}}, 404),
    "somebody else's connection": ({"params": {"connection": "market-penalties"}}, 403),
    "a wait that is no number": ({"params": {"connection": "ecology-penalties", "wait": "long"}}, 422),
    "too much": ({"content": b"x" * (6 * 1024 * 1024)}, 413),
}


@pytest.mark.parametrize("what", PROBLEMS)
def test_a_refusal_is_a_problem_document_in_both_languages(door: Door, what: str) -> None:
    changes, status = PROBLEMS[what]
    call: dict[str, Any] = {"params": {"connection": "ecology-penalties"}, "content": b"a,b\n1,2\n", **changes}

    answer = door.ecology.post("/v1/submissions", **call)

    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == JSON_PROBLEM
    problem = answer.json()
    assert problem["status"] == status
    assert problem["type"].endswith(problem["code"])
    assert any("\u4e00" <= c <= "\u9fff" for c in problem["title"])
    assert problem["title_en"].isascii()
    if status != 422:
        assert any("\u4e00" <= c <= "\u9fff" for c in problem["detail"])
        assert problem["detail_en"].isascii()


def test_an_unknown_connection_names_the_near_one(door: Door) -> None:
    problem = door.ecology.post("/v1/submissions", params={"connection": "ecology-penalty"}, content=b"x").json()

    assert "ecology-penalties" in json.dumps(problem)


@pytest.mark.parametrize("body", [b"", b"\x00\x01\x02\x03" * 50, b"%PDF-1.7 not a table", b'{"a": [1, 2'])
def test_bytes_that_cannot_be_read_are_kept_and_told(door: Door, body: bytes) -> None:
    answer = door.ecology.post("/v1/submissions", params={"connection": "ecology-penalties", "wait": 20}, content=body)

    assert answer.status_code == 200, answer.text
    receipt = answer.json()
    counts = receipt["counts"]
    assert counts["accepted"] == 0
    assert receipt["problem"] or counts["rejected"] == counts["read"]
    if receipt["problem"]:
        assert receipt["problem"]["what_zh"]
        assert receipt["problem"]["hint_zh"]
    digest = Sm3Stream()
    digest.update(body)
    assert receipt["file"]["digest"] == digest.hexdigest()


def test_judging_keeps_nothing(door: Door) -> None:
    def count() -> list[int]:
        with door.running.hub.ledger.read() as connection:
            return tuple(
                connection.execute(select(func.count()).select_from(t)).scalar_one() for t in (submission, payload)
            )  # type: ignore[return-value]

    before = count()

    answer = door.ecology.post(
        "/v1/judge", params={"connection": "ecology-penalties"}, content=csv_of(20, 11_000, faults=0.5)
    )

    assert answer.status_code == 200
    assert answer.json()["counts"]["read"] == 20
    assert answer.json()["counts"]["rejected"] > 0
    assert answer.json()["records"][0]["findings"][0]["text"]
    assert count() == before


def test_a_rare_name_in_gbk_arrives_as_itself_and_a_made_up_character_is_told_but_stops_nothing(door: Door) -> None:
    name = HEADER.index("案件名称")
    lines = [list(HEADER), *(list(row.values) for row in rows(2, first=11_500))]
    lines[1][name], lines[2][name] = "@1", "@2"
    content = "\n".join(map(",".join, lines)).encode("gbk")
    content = content.replace(b"@1", b"\xfe\x59\xfe\x9f").replace(b"@2", b"\xb0\xb8\xaa\xa1")

    answer = door.ecology.post(
        "/v1/judge", params={"connection": "ecology-penalties"}, content=content, headers={"content-type": "text/csv"}
    ).json()

    assert answer["counts"]["accepted"] == 2
    (told,) = [one for record in answer["records"] for one in record["findings"]]
    assert (told["code"], told["severity"], told["place"]) == ("10004.private_use", "warning", "L3")
    assert "第 3 行，“案件名称”列" in told["text"]
    assert "“案<U+E000>”中第 2 个字符是自造字" in told["text"]


def test_a_receipt_of_another_party_is_not_there(door: Door) -> None:
    number = door.ecology.post(
        "/v1/submissions", params={"connection": "ecology-penalties"}, content=csv_of(1, 12_000)
    ).json()["receipt_no"]

    assert door.market.get(f"/v1/receipts/{number}").status_code == 404
    assert door.market.get("/v1/receipts/261123-999999-1").status_code == 404
    assert door.operator.get(f"/v1/receipts/{number}").status_code == 200


def test_a_sender_who_goes_away_half_way_is_owed_nothing(door: Door) -> None:
    address = urlsplit(str(door.ecology.base_url))
    assert address.hostname is not None
    key = door.ecology.headers["authorization"]

    def count() -> int:
        with door.running.hub.ledger.read() as connection:
            return connection.execute(select(func.count()).select_from(submission)).scalar_one()

    before = count()
    with socket.create_connection((address.hostname, address.port or 80)) as line:
        line.sendall(
            (
                f"POST /v1/submissions?connection=ecology-penalties HTTP/1.1\r\nhost: x\r\nauthorization: {key}\r\n"
                "content-length: 5000000\r\n\r\n"
            ).encode()
            + b"x" * 100_000
        )

    healthy = door.operator.get("/healthz")
    assert healthy.status_code == 200
    assert count() == before


def test_every_finding_of_a_receipt_says_what_a_clerk_needs(door: Door) -> None:
    receipt = door.ecology.post(
        "/v1/submissions",
        params={"connection": "ecology-penalties", "wait": 30},
        content=csv_of(60, 13_000, faults=1.0),
    ).json()

    assert receipt["counts"]["rejected"] == 60
    for record in receipt["records"]:
        for finding in record["findings"]:
            assert finding["element"], finding
            assert finding["place"], finding
            assert any("\u4e00" <= c <= "\u9fff" for c in finding["text"]), finding
            assert finding["text_en"], finding
            assert finding["hint"], finding
            assert finding["hint_en"], finding
            if finding["severity"] == "error":
                assert "行" in finding["text"], finding


def test_a_wait_that_does_not_suffice_gives_the_number(door: Door) -> None:
    door.receiver.status = 503
    try:
        answer = door.ecology.post(
            "/v1/submissions",
            params={"connection": "ecology-penalties", "wait": 0.5, "wait_for": "settled"},
            content=csv_of(1, 14_000),
        )
    finally:
        door.receiver.status = None

    assert answer.status_code == 202
    assert answer.json()["state"] in ("received", "translating", "judged")


def test_the_standard_and_the_health_are_there_for_everybody_who_asks(door: Door) -> None:
    with httpx2.Client(base_url=door.operator.base_url) as nobody:
        assert nobody.get("/healthz").status_code == 200
        assert nobody.get("/readyz").status_code == 200
    datasets = door.ecology.get("/v1/standards/datasets").json()
    assert "punish_action" in json.dumps(datasets)
    assert door.ecology.get("/v1/standards/datasets/punish_action/xsd").status_code == 200
    near = door.ecology.get("/v1/standards/datasets/punish_actoin")
    assert near.status_code == 404
    assert "punish_action" in near.text


@pytest.mark.parametrize("path", ["/v1/keys", "/v1/status", "/v1/connections"])
def test_what_is_the_operators_is_refused_to_others(door: Door, path: str) -> None:
    assert door.ecology.get(path).status_code == 403
    assert door.operator.get(path).status_code == 200


def test_a_revoked_key_counts_no_more(door: Door) -> None:
    made = door.operator.post("/v1/keys", json={"party": "ecology", "note": "short"}).json()
    with httpx2.Client(base_url=door.operator.base_url, headers={"authorization": f"Bearer {made['key']}"}) as client:
        door.operator.delete(f"/v1/keys/{made['id']}")

        assert (
            client.post("/v1/submissions", params={"connection": "ecology-penalties"}, content=b"x").status_code == 401
        )


def test_the_api_document_is_served_without_the_internet(door: Door) -> None:
    page = door.operator.get("/docs").text

    assert "https://" not in page.replace("https://www.w3.org", "")
    assert door.operator.get("/openapi.json").json()["openapi"].startswith("3.")


@pytest.mark.parametrize("name", ["处罚.csv".encode(), "处罚.csv".encode("gbk")], ids=["UTF-8", "GBK"])
def test_a_form_with_one_file_is_read_as_that_file_under_its_own_name(door: Door, name: bytes) -> None:
    head = (
        b'--x\r\ncontent-disposition: form-data; name="file"; filename="'
        + name
        + b'"\r\ncontent-type: text/csv\r\n\r\n'
    )
    body = head + csv_of(3, 8001) + b"\r\n--x--\r\n"

    answer = door.ecology.post(
        "/v1/submissions",
        params={"connection": "ecology-penalties", "wait": 20},
        content=body,
        headers={"content-type": "multipart/form-data; boundary=x"},
    ).json()

    assert answer["counts"]["read"] == 3
    assert answer["file"]["name"] == "处罚.csv"


def test_a_form_with_two_files_is_refused_with_what_to_do(door: Door) -> None:
    one = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\na\r\n'

    answer = door.ecology.post(
        "/v1/submissions",
        params={"connection": "ecology-penalties"},
        content=one * 2 + b"--x--\r\n",
        headers={"content-type": "multipart/form-data; boundary=x"},
    )

    assert answer.status_code == 422
    assert "zip" in answer.json()["hint"]


@pytest.mark.parametrize(
    ("at", "kind", "most"),
    [
        ("/v1/submissions?connection=ecology-penalties", "multipart/form-data; boundary=x", 6),
        ("/sender/submissions", "multipart/form-data; boundary=x", 6),
        ("/sender/login", "application/x-www-form-urlencoded", 1),
    ],
)
def test_a_form_that_is_too_large_is_stopped_while_it_comes_whoever_sends_it(
    door: Door, at: str, kind: str, most: int
) -> None:
    head = b'--x\r\ncontent-disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    body = itertools.chain([head], itertools.repeat(b"a" * (1 << 20), 9))

    answer = httpx2.post(
        f"{door.running.address}{at}", content=body, headers={**door.ecology.headers, "content-type": kind}
    )

    assert answer.status_code == 413, answer.text
    assert f"超过 {most} MB" in answer.json()["detail"]
    assert "max_body_mb" in answer.json()["hint"]


def test_a_name_in_gbk_is_readable_in_a_header_and_in_the_address(door: Door) -> None:
    gbk = "处罚.csv".encode("gbk")
    at = "/v1/submissions?connection=ecology-penalties&wait=20"
    named = "".join(f"%{byte:02X}" for byte in gbk)

    by_header = door.ecology.post(
        at, content=csv_of(1, 8101), headers=[(b"content-disposition", b'attachment; filename="' + gbk + b'"')]
    )
    by_address = door.ecology.post(f"{at}&name={named}", content=csv_of(1, 8102))

    assert by_header.json()["file"]["name"] == by_address.json()["file"]["name"] == "处罚.csv"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (",".join(HEADER).encode("gb18030") + b"\r\n", "10004.no_rows"),
        ("药品,批号\r\n阿司匹林,1\r\n".encode(), "10004.foreign_file"),
    ],
    ids=["only a header", "another kind of file"],
)
def test_a_file_of_nothing_or_of_something_else_says_so(door: Door, body: bytes, code: str) -> None:
    answer = door.ecology.post(
        "/v1/submissions", params={"connection": "ecology-penalties", "wait": 20}, content=body
    ).json()
    tried = door.ecology.post("/v1/judge", params={"connection": "ecology-penalties"}, content=body).json()

    assert [note["code"] for note in answer["notes"]] == [code]
    assert [note["code"] for note in tried["notes"]] == [code]


def test_wrong_parameters_are_told_in_both_languages(door: Door) -> None:
    answer = door.ecology.post("/v1/submissions", params={"wait": "soon"}, content=b"x").json()

    assert "query.connection：缺少" in answer["detail"]
    assert "query.wait：须为数字" in answer["detail"]
    assert answer["hint"]
    assert answer["hint_en"]


def test_what_many_records_share_is_told_once_in_the_text(door: Door) -> None:
    body = "案件编号\r\n".encode() + b"".join(f"W{n}\r\n".encode() for n in range(8))
    number = door.ecology.post(
        "/v1/submissions", params={"connection": "ecology-penalties", "wait": 20}, content=body
    ).json()["receipt_no"]

    text = door.ecology.get(f"/v1/receipts/{number}", headers={"accept": "text/plain"}).text

    assert text.count("必填项“处罚行为名称”为空") == 1
    assert "8 条：第 2 行、第 3 行" in text

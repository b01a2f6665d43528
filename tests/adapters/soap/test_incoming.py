"""A request read while it comes: the same whatever the pieces, the encoding and the order of its parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.formats import bytes_payload, open_records
from adapters.formats.base import ReadOptions
from adapters.soap.contract import NAMESPACE
from adapters.soap.incoming import Incoming
from adapters.soap.message import SOAP_11
from adapters.soap.refusal import BadRequest, NotUnderstood
from standards.errors import HubError, PayloadTooLarge
from tests.standards.gb_codes import BYTES
from tests.standards.gb_codes import TEXT as TEXT_OF_CODES

WSSE = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
TEXT = "名称,编号\n晋北煤业,1\n云冈,2\n"


def envelope(operation: str, inner: str, header: str = "", namespace: str = NAMESPACE) -> str:
    body = f'<t:{operation} xmlns:t="{namespace}" xmlns="{namespace}">{inner}</t:{operation}>'
    return f'<s:Envelope xmlns:s="{SOAP_11}"><s:Header>{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>'


def one_text(content: str, header: str = "") -> str:
    return envelope("submitXml", f"<connection>x</connection><content>{content}</content>", header)


def record(**fields: str) -> str:
    inner = "".join(f"<field><name>{n}</name><value>{v}</value></field>" for n, v in fields.items())
    return f"<record>{inner}</record>"


def records(*inner: str) -> str:
    return envelope("submit", f"<connection>x</connection>{''.join(inner)}")


def taken(message: str | bytes, **words: Any) -> bytes:
    data = message.encode() if isinstance(message, str) else message
    return b"".join(Incoming(data, whole=True, **words).payload())


def columns(data: bytes) -> tuple[dict[str, list[str]], dict[int, str]]:
    found: dict[str, list[str]] = {}
    broken: dict[int, str] = {}
    for chunk in open_records(bytes_payload("", data, "application/x-ndjson"), ReadOptions())[1]:
        found |= chunk.columns
        broken |= {n: fault.code for n, fault in chunk.broken.items()}
    return found, broken


@pytest.mark.parametrize("content", [TEXT, f"<![CDATA[{TEXT}]]>", f"\n  <![CDATA[{TEXT}]]>"], ids=repr)
def test_the_string_is_handed_on_as_it_is(content: str) -> None:
    assert taken(one_text(content)).decode() == content.replace("<![CDATA[", "").replace("]]>", "")


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("GBK", "gbk"),
        ("gb2312", "gbk"),
        ("GB18030", "gb18030"),
        ("UTF-8", "utf-8"),
        ("UTF-8", "utf-8-sig"),
        ("UTF-16", "utf-16"),
        ("UTF-8", "gbk"),
        ("", "gbk"),
    ],
)
def test_an_envelope_is_read_in_the_encoding_it_declares_or_is_in(declared: str, codec: str) -> None:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""

    assert taken((declaration + one_text(TEXT)).encode(codec)).decode() == TEXT


def test_the_charset_of_the_request_helps_where_the_xml_says_nothing() -> None:
    big5 = one_text("名稱,編號\n許可,1\n").encode("big5")

    assert taken(big5, content_type='text/xml; charset="big5"').decode() == "名稱,編號\n許可,1\n"


def test_rare_characters_of_gb18030_arrive_as_themselves_also_in_pieces() -> None:
    data = b'<?xml version="1.0" encoding="GBK"?>' + one_text("@").encode().replace(b"@", BYTES * 2)
    incoming = Incoming(data[: data.index(BYTES) + 1], whole=False)

    assert b"".join(incoming.payload([data[data.index(BYTES) + 1 :]])).decode() == TEXT_OF_CODES * 2
    assert taken(data).decode() == TEXT_OF_CODES * 2


@pytest.mark.parametrize("declared", ["GBK", "gb2312", "utf-16", "UTF-8"])
@pytest.mark.parametrize("name", ["云冈", "晋北煤业有限责任公司大同分公司左云县第三洗煤厂"], ids=len)
def test_a_document_in_a_string_is_read_in_utf_8_whatever_it_declared(declared: str, name: str) -> None:
    document = f'<?xml version="1.0" encoding="{declared}"?><单位列表><单位><名称>{name}</名称></单位></单位列表>'

    data = taken(one_text(f"<![CDATA[{document}]]>"))

    reading, chunks = open_records(bytes_payload("", data), ReadOptions())
    assert [value for chunk in chunks for value in chunk.columns["名称"]] == [name]
    assert reading.encoding == "utf-8"
    assert not reading.notes


@given(st.lists(st.integers(0, 700), max_size=12), st.sampled_from(["utf-8", "gb18030"]), st.integers(400, 800))
def test_pieces_make_no_difference(cuts: list[int], codec: str, first: int) -> None:
    inner = "".join(record(名称=f"第{n}家", 说明="a &amp; b<!-- c -->") for n in range(5))
    data = (f'<?xml version="1.0" encoding="{codec}"?>' + records(inner)).encode(codec)
    rest = data[first:]
    places = sorted({0, *(cut for cut in cuts if cut < len(rest)), len(rest)})

    def pieces() -> Iterator[bytes]:
        for start, end in pairwise(places):
            yield rest[start:end]

    incoming = Incoming(data[:first], whole=False)

    assert b"".join(incoming.payload(pieces())) == taken(data)


def test_a_large_message_is_in_the_encoding_it_declares_though_it_begins_in_ascii() -> None:
    text = "a,b\n" * 300_000 + TEXT
    data = ('<?xml version="1.0" encoding="GBK"?>' + one_text(text)).encode("gbk")
    incoming = Incoming(data[: 1 << 20], whole=False)

    assert b"".join(incoming.payload([data[1 << 20 :]])).decode() == text


def test_a_large_message_says_early_what_it_wants() -> None:
    with pytest.raises(BadRequest, match="first megabyte"):
        Incoming(b"<s:Envelope" + b" " * (1 << 20), whole=False)


def test_records_become_lines_with_their_place() -> None:
    lines = taken(records(record(a="1", b="第二"), record(a="", c="x &lt; y"))).decode().splitlines()

    assert [json.loads(line) for line in lines] == [
        {"@place": "/submit/record[1]", "a": "1", "b": "第二"},
        {"@place": "/submit/record[2]", "a": "", "c": "x < y"},
    ]


def test_a_field_that_stands_twice_breaks_its_record_and_no_other() -> None:
    twice = "<record>" + "".join(f"<field><name>a</name><value>{n}</value></field>" for n in (1, 2)) + "</record>"

    found, broken = columns(taken(records(twice, record(a="3"))))

    assert found["a"] == ["", "3"]
    assert list(broken) == [0]


def test_a_character_that_xml_cannot_hold_breaks_its_record_and_no_other() -> None:
    found, broken = columns(taken(records(record(a="x&#x1F;y"), record(a="z"))))

    assert list(broken) == [0]
    assert found["a"][1] == "z"


def test_the_order_of_the_parts_is_forgiven_and_so_is_a_missing_namespace() -> None:
    shuffled = Incoming(
        envelope("submitXml", "<content>a</content><id>7</id><connection>x</connection>").encode(), whole=True
    )
    bare = f'<t:getReceipt xmlns:t="{NAMESPACE}"><receiptNo>1</receiptNo></t:getReceipt>'
    plain = Incoming(
        f'<s:Envelope xmlns:s="{SOAP_11}"><s:Body>{bare}</s:Body></s:Envelope>'.encode(), whole=True
    ).message

    assert (b"".join(shuffled.payload()), shuffled.message.text("id")) == (b"a", "7")
    assert plain.text("receiptNo") == "1"


def token(kind: str = "PasswordText") -> str:
    profile = f"http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-username-token-profile-1.0#{kind}"
    inner = f'<w:Username>ecology</w:Username><w:Password Type="{profile}"> k </w:Password>'
    return f'<w:Security xmlns:w="{WSSE}" s:mustUnderstand="1"><w:UsernameToken>{inner}</w:UsernameToken></w:Security>'


def test_a_username_token_is_found() -> None:
    message = Incoming(one_text("a", token("PasswordDigest")).encode(), whole=True).message

    assert (message.username, message.token, message.token_kind) == ("ecology", "k", "PasswordDigest")


@pytest.mark.parametrize(
    ("message", "error", "word"),
    [
        (one_text("a", '<h:Pay xmlns:h="urn:h" s:mustUnderstand="1"/>'), NotUnderstood, "Pay"),
        (one_text("<a/>"), BadRequest, "CDATA"),
        (one_text("a</content><content>b"), BadRequest, "twice"),
        (one_text("a") + "x", BadRequest, "well-formed"),
        (one_text("a")[:-20], BadRequest, "well-formed"),
        (envelope("submit", "<connection>x</connection>"), BadRequest, "record"),
        (records("<record/>"), BadRequest, "record 1: there is no field"),
        (records(record(a="1"), "<record><field><value>2</value></field></record>"), BadRequest, "record 2"),
        (records(record(a="1"), "<record><a>1</a></record>"), BadRequest, "element a"),
        (records("<record><field><name>@place</name></field></record>"), BadRequest, "@place"),
        (envelope("submit", record(a="1")), BadRequest, "connection"),
        (envelope("getReceipt", "<receiptNo>1</receiptNo><after>x</after>"), BadRequest, "after"),
        (envelope("submit", "", namespace="urn:else"), BadRequest, NAMESPACE),
        (envelope("confirm", "<line/>" * 60_000), PayloadTooLarge, "elements"),
        (one_text("<![CDATA[" + "x" * 11_000_000 + "]]>"), PayloadTooLarge, "CDATA"),
        (records(record(a="x" * 17_000_000)), PayloadTooLarge, "record 1"),
        (records("<record>" + "<field><name>a</name></field>" * 20_001 + "</record>"), PayloadTooLarge, "fields"),
    ],
    ids=lambda value: value[-60:] if isinstance(value, str) else value.__name__,
)
def test_what_is_not_as_agreed_is_refused_and_says_why(message: str, error: type[HubError], word: str) -> None:
    with pytest.raises(error) as caught:
        taken(message)

    assert word in str(caught.value)
    assert any("\u4e00" <= c <= "\u9fff" for c in caught.value.what_zh)


def test_a_large_text_that_is_not_in_cdata_flows_through() -> None:
    text = "a,b\n" * 4_000_000
    data = one_text(text).encode()
    incoming = Incoming(data[: 1 << 20], whole=False)

    sizes = [len(piece) for piece in incoming.payload([data[1 << 20 :]])]

    assert sum(sizes) == len(text)
    assert max(sizes) < 2 << 20

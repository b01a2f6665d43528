"""GB 18030 is read and written as its edition of 2022 has it, piece by piece as well, and nothing else is changed."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from standards.encodings import decode, decoder, encode, gb_lines, is_gb
from tests.standards.gb_codes import BYTES, CODES, DOUBLED, GONE, SWAPPED, TEXT

HEAD = b"<?xml version='1.0' encoding='GB18030'?>"
#: Common, rare, of four bytes, from the table, made by users; and what is no character.
CHARACTERS = st.sampled_from(
    ["a", "中", "，", "ḿ", "龴", "\U00020087", "䶮", "𠮷", "\ue000", "\ue4c6", "\U000f0000", "é"]
)
PIECES = st.sampled_from(
    [b"a", "中".encode("gbk"), b"\xfe\x59", b"\xfe", b"\xaa\xa1", b"\x82\x35\x90\x37", b"\x82\x35", b"\xff"]
)
any_text = st.text(st.characters(exclude_categories=("Cs",), exclude_characters=GONE))


@pytest.mark.parametrize(("code", "character", "long"), SWAPPED + DOUBLED)
def test_each_code_is_read_as_its_character_and_no_longer_as_a_private_one(
    code: bytes, character: str, long: bytes
) -> None:
    assert code.decode("gb18030") in GONE  # when this fails, Python has gone over to a newer edition

    assert decode(code, "gb18030") == decode(long, "gb18030") == character


@pytest.mark.parametrize(("written", "character"), [*((c, t) for c, t, _ in SWAPPED), *((c, t) for _, t, c in DOUBLED)])
def test_each_character_is_written_with_the_bytes_of_the_newest_edition_and_read_again(
    written: bytes, character: str
) -> None:
    assert encode(character, "gb18030") == written
    assert decode(written, "gb18030") == character


@pytest.mark.parametrize(("code", "character"), CODES)
def test_libxml2_has_the_same_table(code: bytes, character: str) -> None:
    read = etree.fromstring(HEAD + b"<a>" + code + b"</a>")

    assert read.text == decode(code, "gb18030")
    assert encode(f"<a>{character}</a>", "gb18030") in etree.tostring(read, encoding="GB18030")


def test_every_other_character_is_read_and_written_as_python_does() -> None:
    others = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    for one in GONE + TEXT:
        others = others.replace(one, "")

    assert encode(others, "gb18030") == others.encode("gb18030")
    assert decode(others.encode("gb18030"), "gb18030") == others


def test_every_code_of_two_bytes_that_gbk_has_is_the_same_in_gb18030() -> None:
    codes = [
        bytes((first, second)) for first in range(0x81, 0xFF) for second in (*range(0x40, 0x7F), *range(0x80, 0xFF))
    ]
    by_gbk = {code: code.decode("gbk", "replace") for code in codes}
    held = {code: text for code, text in by_gbk.items() if "\ufffd" not in text}

    assert len(held) == 21791
    assert held == {code: code.decode("gb18030") for code in held}
    assert not any("\ue000" <= text <= "\uf8ff" for text in held.values())


@given(any_text)
def test_what_is_written_is_what_is_read(text: str) -> None:
    for name in ("gb18030", "utf-8", "utf-16"):
        assert decode(encode(text, name), name) == text


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters=GONE + TEXT)))
def test_text_without_these_characters_is_left_alone(text: str) -> None:
    assert encode(text, "gb18030") == text.encode("gb18030")
    assert decode(text.encode("gb18030"), "gb18030") == text


@pytest.mark.parametrize(
    ("code", "character"), [(b"\xaa\xa1", "\ue000"), (b"\xf8\xa1", "\ue234"), (b"\xa1\x40", "\ue4c6")]
)
def test_the_characters_that_users_make_stay_what_they_are(code: bytes, character: str) -> None:
    assert decode(code, "gb18030") == character
    assert encode(character, "gb18030") == code


def piecewise(pieces: list[bytes], errors: str = "strict") -> str:
    taking = decoder("GBK", errors)
    return "".join(taking.decode(piece) for piece in pieces) + taking.decode(b"", True)


@given(
    st.lists(st.lists(CHARACTERS).map("".join).map(lambda t: encode(t, "gb18030")) | PIECES),
    st.sampled_from(["strict", "replace"]),
)
def test_any_cut_into_pieces_gives_the_same_text(pieces: list[bytes], errors: str) -> None:
    whole = b"".join(pieces)
    try:
        expected = decode(whole, "gb18030", errors)
    except UnicodeDecodeError:
        with pytest.raises(UnicodeDecodeError):
            piecewise(pieces, errors)
        return

    assert piecewise(pieces, errors) == expected


@given(st.lists(CHARACTERS).map("".join))
def test_every_single_byte_may_be_a_piece(text: str) -> None:
    assert piecewise([bytes((byte,)) for byte in encode(text, "gb18030")]) == text


def test_lines_are_told_apart_by_whether_gbk_can_hold_them() -> None:
    lines = ["甲\n".encode("gbk"), b"\xfe\x59\n", b"\xaa\xa1\n", "乙\n".encode("gbk")]

    assert gb_lines(lines[:1]) == (["甲\n"], [])
    assert gb_lines(lines) == (["甲\n", "龴\n", "\ue000\n", "乙\n"], ["龴\n", "\ue000\n"])
    with pytest.raises(UnicodeDecodeError):
        gb_lines([b"\xff\n"])
    assert gb_lines([b"\xff\n"], "replace")[0] == ["\ufffd\n"]


@pytest.mark.parametrize("name", ["GB18030", "gbk", "GB2312", "cp936"])
def test_the_older_names_mean_the_newest_edition(name: str) -> None:
    assert is_gb(name)
    assert decode(BYTES, name) == TEXT
    assert decode(encode(TEXT, name), name) == TEXT


def test_what_cannot_be_written_or_is_not_known_is_refused() -> None:
    with pytest.raises(UnicodeEncodeError):
        encode("\ud800", "gb18030")
    assert encode("龴\ud800", "gb18030", "replace") == b"\xfe\x59?"
    with pytest.raises(LookupError):
        decode(b"a", "no such thing")
    assert codecs.lookup("gb18030").name == "gb18030"

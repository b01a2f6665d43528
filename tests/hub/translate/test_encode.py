"""Content lines are canonical JSON, whatever the values are and wherever they came from."""

import json

from hypothesis import given
from hypothesis import strategies as st

from hub.translate.encode import key_hashes, keys_of, lines_of
from standards.digest import canonical_json, join_key, key_hash

NAMES = ("action_code", "fine", "remark")
texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.tuples(texts, texts, texts), max_size=5))
def test_lines_are_canonical_json_without_what_is_empty(rows: list[tuple[str, str, str]]) -> None:
    lines = lines_of(NAMES)(rows)

    assert lines == [canonical_json({n: v for n, v in zip(NAMES, row, strict=True) if v}) for row in rows]


def test_what_is_empty_is_left_out_however_it_became_empty() -> None:
    empties = ["".join([]), "x"[1:], " ".strip(), b"".decode("utf-8"), json.loads('""'), "x".replace("x", ""), f"{''}"]

    lines = lines_of(NAMES)((value, "1", value) for value in empties)

    assert set(lines) == {b'{"fine":"1"}'}


def test_keys_of_a_chunk_are_the_keys_of_its_records() -> None:
    columns = [["a", "b|c"], ["1", "2"]]

    assert keys_of(columns) == [join_key(["a", "1"]), join_key(["b|c", "2"])]
    assert key_hashes("punish_action", ["a|1"]) == [key_hash("punish_action", "a|1")]

"""What became of earlier faults in the hand-over that mends them; pure."""

from __future__ import annotations

from hub.again import Faulty, compare

DATE, FINE = ("set_date", "10004.date"), ("fine", "10004.decimal")


def faulty(row: int, key: bytes | None, *faults: tuple[str, str]) -> Faulty:
    return Faulty(row, key, f"row {row}", frozenset(faults))


def test_a_fault_is_gone_when_its_record_came_again_without_it() -> None:
    done = compare([faulty(1, b"a", DATE, FINE)], {b"a": frozenset({FINE})}, same_file=False)

    assert done.gone == 1
    assert [(one.row, left) for one, left in done.still] == [(1, frozenset({FINE}))]
    assert not done.missing


def test_a_record_that_did_not_come_again_is_missing_and_not_gone() -> None:
    done = compare([faulty(1, b"a", DATE), faulty(2, b"b", DATE)], {b"b": frozenset()}, same_file=False)

    assert done.gone == 1
    assert [one.row for one in done.missing] == [1]


def test_without_a_key_the_number_of_the_record_tells_only_where_both_files_have_as_many() -> None:
    before = [faulty(3, None, DATE)]
    later: dict[bytes | int, frozenset[tuple[str, str]]] = {3: frozenset()}

    assert compare(before, later, same_file=True).gone == 1
    assert [one.row for one in compare(before, {}, same_file=False).missing] == [3]


def test_a_fault_that_was_not_there_before_is_new() -> None:
    done = compare([faulty(1, b"a", DATE)], {b"a": frozenset({FINE})}, same_file=True)

    assert (done.gone, done.new, done.still) == (1, 1, [])

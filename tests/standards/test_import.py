"""The committed standard is what the tools make from their sources, and nothing of a source is dropped in silence."""

from pathlib import Path

import pytest

from tests.shared_data import REPOSITORY, shared
from tools import import_codes, import_standard
from tools.standard.source import read
from tools.standard.tables import load

HOME = REPOSITORY / "standards"


def source() -> Path:
    return shared("../DATASETS.md").resolve()


def test_the_committed_standard_is_what_the_source_gives() -> None:
    made = import_standard.build(source())

    differing = [name for name, content in made.items() if (HOME / name).read_text(encoding="utf-8") != content]
    assert differing == []


def test_nothing_is_committed_that_the_tools_do_not_make() -> None:
    made = {*import_standard.build(source()), *(f"codelists/{n}" for n in import_codes.build(shared("codes")))}

    held = {str(p.relative_to(HOME)) for p in (HOME / "datasets").iterdir()}
    held |= {str(p.relative_to(HOME)) for p in (HOME / "codelists").iterdir()}
    assert held - made == {"codelists/SOURCES.md"}


def test_the_committed_code_tables_are_what_their_sources_give() -> None:
    made = import_codes.build(shared("codes"))

    differing = [n for n, text in made.items() if (HOME / "codelists" / n).read_text(encoding="utf-8") != text]
    assert differing == []


def test_the_source_counts_what_was_read() -> None:
    held = read(source())
    elements = len(held.common.rows) + sum(len(t.rows) for t in held.tables)

    assert held.counts == (25, 4, elements, len(held.lists), sum(len(c.codes) for c in held.lists))


def changed(tmp_path: Path, before: str, after: str) -> Path:
    text = source().read_text(encoding="utf-8")
    assert before in text
    path = tmp_path / "DATASETS.md"
    path.write_text(text.replace(before, after, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("C: check_mode is 01", "C: check_mode is 01 or 02", "check_action.plan_id: no translation"),
        ("| CL_CASE_SOURCE | JV |", "| CL_CASE_SOURCES | JV |", "CL_CASE_SOURCES"),
        ("deadline: 20 working days after", "deadline: 15 working days after", "random_check_result.said.deadline"),
        ("| check_form | 检查形式 |", "| check_forms | 检查形式 |", "check_action.check_forms is missing"),
    ],
)
def test_a_source_that_says_something_new_stops_the_import(tmp_path: Path, before: str, after: str, told: str) -> None:
    path = changed(tmp_path, before, after)

    with pytest.raises(ValueError, match=told):
        import_standard.build(path)


def test_a_translation_that_nothing_uses_stops_the_import(tmp_path: Path) -> None:
    path = changed(tmp_path, "C: check_mode is 01", "O")

    with pytest.raises(ValueError, match="nothing uses 'C: check_mode is 01'"):
        import_standard.build(path)


def test_every_condition_of_the_source_became_a_need_a_word_a_rule_or_a_note() -> None:
    for entry in load("conditions").values():
        words = {**entry, **next(iter(entry.get("at", {}).values()), {})}
        assert words.get("need") not in (None, "must", "optional") or words.keys() & {"set", "rules", "note"}


def test_the_tool_says_what_is_wrong_and_ends_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = changed(tmp_path, "C: check_mode is 01", "C: check_mode is 17")

    assert import_standard.main([str(path), str(tmp_path)]) == 1
    assert "check_mode is 17" in capsys.readouterr().out
    assert import_standard.main([]) == 2
    assert import_codes.main([]) == 2


def test_writing_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    assert import_standard.main([str(source()), str(tmp_path)]) == 0
    first = {p: p.read_bytes() for p in tmp_path.rglob("*.*")}
    assert import_standard.main([str(source()), str(tmp_path)]) == 0

    assert {p: p.read_bytes() for p in tmp_path.rglob("*.*")} == first

"""The pages say what the code says, they explain every word, and none points to nothing."""

import shutil
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel

from adapters import registry
from adapters.kit import example
from hub.settings import Settings
from mappings.grammar import MappingFile
from tests.house.repository import ROOT
from tools.docs import links, models, pages
from tools.docs.__main__ import DOCS, main


def every_model(path: str, model: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """A settings model and those within it, by where they stand."""
    found = {path: model}
    for name, inner in models.parts(model):
        found |= every_model(f"{path}.{name}", inner)
    return found


SETTINGS = every_model("hub.toml", Settings) | every_model("mapping", MappingFile)
for _name in registry.BUILT_IN:
    _manifest = registry.load(_name)
    for _side, _model in (
        ("source", _manifest.source_settings),
        ("destination", _manifest.destination_settings),
        ("lookup", _manifest.lookup_settings),
    ):
        if _model is not None:
            SETTINGS |= every_model(f"{_name}.{_side}", _model)


def test_the_pages_are_as_the_code_is_and_every_link_leads_somewhere(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--check"])

    assert code == 0, capsys.readouterr().out


def test_a_page_that_is_stale_missing_or_made_by_nobody_is_told_and_mended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {"changes.md": (DOCS / "changes.md").read_text("utf-8"), "reference/cli.md": "as the code is\n"}
    monkeypatch.setattr("tools.docs.__main__.pages", lambda: made)
    shutil.copytree(DOCS / "reference" / "datasets", tmp_path / "reference" / "datasets")
    (tmp_path / "reference" / "cli.md").write_text("as the code was\n")

    assert main(["--check"], tmp_path) == 1
    told = capsys.readouterr().out
    assert main([], tmp_path) == main(["--check"], tmp_path) == 0

    assert all(name in told for name in ("changes.md", "reference/cli.md", "reference/datasets/common.md"))
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.md")} == set(made)


def test_making_the_pages_twice_makes_the_same() -> None:
    assert pages.pages() == pages.pages()


@pytest.mark.parametrize("where", sorted(SETTINGS))
def test_every_word_of_the_settings_is_described(where: str) -> None:
    bare = [name for name, field in SETTINGS[where].model_fields.items() if not field.description]

    assert not bare, f"without a description in {where}: {', '.join(bare)}"


@pytest.mark.parametrize("name", registry.BUILT_IN)
def test_the_example_of_every_adapter_is_right(name: str) -> None:
    manifest = registry.load(name)

    for lines, model in (
        (example.connection(manifest), manifest.source_settings),
        (example.destination(manifest), manifest.destination_settings),
    ):
        if model is not None:
            [(_, [one])] = [
                (kind, list(held.values()))
                for kind, held in tomllib.loads("\n".join(lines)).items()
                if isinstance(held, dict)
            ]
            assert one["adapter"] == name
            model.model_validate(one.get("settings", {}))


def test_every_decision_has_its_three_parts_and_its_line_in_the_list() -> None:
    folder = ROOT / "docs" / "decisions"
    listed = (folder / "README.md").read_text("utf-8")

    for page in folder.glob("0*.md"):
        text = page.read_text("utf-8")
        assert text.startswith(f"# {page.name[:4]} "), page.name
        assert all(f"**{part}.**" in text for part in ("Context", "Decision", "Consequence")), page.name
        assert f"| [{page.name[:4]}]({page.name}) | {text.splitlines()[0][7:]} |" in listed, page.name


def test_every_change_is_told_under_a_heading() -> None:
    for fragment in (ROOT / "changes").glob("*.md"):
        if fragment.name != "README.md":
            assert fragment.read_text("utf-8").startswith("## "), fragment.name


def test_links_to_nothing_are_found_outside_of_code_only(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# The way of a record\n\n## `hub check`\n")
    (tmp_path / "page.md").write_text(
        "[a](there.md#the-way-of-a-record) [b](there.md#hub-check) [c](https://example.com/x)\n"
        "[d](gone.md) [e](there.md#elsewhere)\n```\n[f](in-code.md)\n```\n[g](#nowhere)\n"
    )

    assert list(links.broken_in(tmp_path, ["page.md"])) == [
        "page.md:2: gone.md",
        "page.md:2: there.md#elsewhere",
        "page.md:6: #nowhere",
    ]


def test_both_readmes_have_the_same_sections_links_and_commands() -> None:
    texts = [(ROOT / name).read_text("utf-8") for name in ("README.md", "README.zh-CN.md")]
    targets = [{target for target in links.targets(text) if not target.startswith("README")} for text in texts]

    assert texts[0].count("\n## ") == texts[1].count("\n## ") > 0
    assert targets[0] == targets[1]

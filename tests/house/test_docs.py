"""The reference pages say what the code says, and no page points to nothing."""

import pytest

from tests.house.repository import ROOT
from tools.docs import links
from tools.docs.__main__ import main


def test_the_reference_pages_are_as_the_code_is(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--check"])

    assert code == 0, capsys.readouterr().out


def test_a_link_that_leads_nowhere_is_found(tmp_path: object) -> None:
    assert list(links.broken(ROOT)) == []


def test_both_readmes_have_the_same_sections() -> None:
    counts = [(ROOT / name).read_text("utf-8").count("\n## ") for name in ("README.md", "README.zh-CN.md")]

    assert counts[0] == counts[1] > 0

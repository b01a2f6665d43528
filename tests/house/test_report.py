"""What a test run says at its end, and the skips that it does not accept."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOT
from tests.shared_data import NO_SHARED_DATA

SUITE = """
import pytest

@pytest.fixture(params=[
    pytest.param(name, marks=pytest.mark.contract(suite="ledger", on=name)) for name in ("sqlite", "postgresql")
])
def ledger(request):
    return request.param

@pytest.mark.parametrize("n", range(3))
def test_is_kept(ledger, n):
    assert (ledger, n) != ("postgresql", 2)

@pytest.mark.contract(suite="broker", on="embedded")
def test_only_here(): ...

@pytest.mark.contract(suite="broker", on="rabbitmq")
@pytest.mark.parametrize("n", range(2))
def test_only_there(n): ...
"""


def run(folder: Path, source: str, *options: str) -> str:
    (folder / "test_it.py").write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.contracts", "-p", "tests.skips", "-rA", "-c", "/dev/null"),
            *(*options, f"--rootdir={folder}", str(folder)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout


@pytest.mark.parametrize("options", [[], ["-n", "2"]], ids=["one-process", "two-workers"])
def test_the_run_says_on_which_implementations_the_contracts_ran(tmp_path: Path, options: list[str]) -> None:
    said = run(tmp_path, SUITE, *options)

    assert "\ncontract ledger: postgresql 2 passed 1 failed, sqlite 3 passed\n" in said
    assert "\ncontract broker: embedded 1 passed, rabbitmq 2 passed  (NOT THE SAME NUMBER)\n" in said


def test_a_run_without_contracts_says_nothing_about_them(tmp_path: Path) -> None:
    assert "\ncontract " not in run(tmp_path, "def test_it(): ...")


@pytest.mark.parametrize(
    "source",
    [
        "import pytest\ndef test_it(): pytest.skip('no broker')",
        "import pytest\n@pytest.mark.skip(reason='later')\ndef test_it(): ...",
        "import pytest\npytest.importorskip('no_such_module')",
    ],
    ids=["call", "mark", "import"],
)
def test_a_skip_for_any_other_reason_fails(tmp_path: Path, source: str) -> None:
    said = run(tmp_path, source)

    assert "not allowed" in said
    assert " skipped" not in said.splitlines()[-1]


def test_where_there_are_no_shared_data_a_test_may_say_so(tmp_path: Path) -> None:
    said = run(tmp_path, f"import pytest\ndef test_it(): pytest.skip({NO_SHARED_DATA!r})")

    assert "1 skipped" in said.splitlines()[-1]


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    said = run(tmp_path, "import pytest\n@pytest.mark.xfail(strict=True)\ndef test_it(): assert False")

    assert "1 xfailed" in said.splitlines()[-1]

"""The few reasons for which a test may say that it did not run.  Any other skip is a failure."""

from collections.abc import Generator
from typing import TypeVar

import pytest

from tests.shared_data import NO_SHARED_DATA

NO_ROOT = "not run: no root"
ALLOWED = {NO_SHARED_DATA, NO_ROOT}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    return _without_excuses((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    return _without_excuses((yield))


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _without_excuses(report: Report) -> Report:
    if report.skipped and not hasattr(report, "wasxfail") and isinstance(report.longrepr, tuple):
        reason = report.longrepr[2].removeprefix("Skipped: ")
        if reason not in ALLOWED:
            report.outcome = "failed"
            report.longrepr = f"skipped for a reason that is not allowed: {reason!r} (tests/skips.py)"
    return report

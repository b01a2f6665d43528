"""Contract suites: which implementations they ran on, said at the end of every run.

On a test, or among the marks of a parameter:  pytest.mark.contract(suite="ledger", on="postgresql")
"""

from collections import Counter, defaultdict

import pytest

_PROPERTY = "contract"
_OUTCOMES = ("passed", "failed", "error", "skipped")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "contract(suite, on): belongs to a suite that every implementation of a port must pass"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Writes the mark into the test's properties, which travel with its report from worker to controller."""
    for item in items:
        for mark in item.iter_markers("contract"):
            item.user_properties.append((_PROPERTY, (mark.kwargs["suite"], mark.kwargs["on"])))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    counts: dict[str, dict[str, Counter[str]]] = defaultdict(lambda: defaultdict(Counter))
    for outcome in _OUTCOMES:
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY:
                    suite, on = value
                    counts[suite][on][outcome] += 1
    if counts:
        terminalreporter.section("contracts")
    for suite, implementations in sorted(counts.items()):
        terminalreporter.write_line(describe(suite, implementations))


def describe(suite: str, implementations: dict[str, Counter[str]]) -> str:
    """One line: `contract ledger: postgresql 31 passed, sqlite 31 passed`."""
    parts = [
        f"{on} " + " ".join(f"{outcomes[outcome]} {outcome}" for outcome in _OUTCOMES if outcomes[outcome])
        for on, outcomes in sorted(implementations.items())
    ]
    uneven = len({outcomes.total() for outcomes in implementations.values()}) > 1
    return f"contract {suite}: {', '.join(parts)}" + ("  (NOT THE SAME NUMBER)" if uneven else "")

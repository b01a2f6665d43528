"""The layers of the house (.importlinter): they are kept, and each contract notices when it is broken."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.repository import ROOMS, ROOT

CONTRACTS = ROOT / ".importlinter"


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--config", str(CONTRACTS), "--no-cache", "--no-logo"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )


def a_house(folder: Path, **lines: str) -> Path:
    """The rooms, empty but for one line in each of the modules that are named."""
    modules = {name.replace(".", "/") + ".py": line for name, line in lines.items()}
    for room in ROOMS:
        modules |= {f"{room}/__init__.py": "", f"{room}/thing.py": ""}
    modules["adapters/conformance/__init__.py"] = ""
    modules |= {name.rsplit("/", 1)[0] + "/__init__.py": "" for name in modules if name.count("/") > 1}
    modules |= {name.replace(".", "/") + ".py": line + "\n" for name, line in lines.items()}
    for name, text in modules.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_the_layers_are_kept() -> None:
    linted = lint(ROOT)

    assert linted.returncode == 0, linted.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("standards.words", "import mappings.thing"),
        ("mappings.meaning", "import adapters.thing"),
        ("adapters.door", "import hub.thing"),
        ("adapters.door", "import monitor.thing"),
        ("monitor.page", "import hub.thing"),
        ("monitor.page", "import adapters.thing"),
        ("monitor.page", "import mappings.thing"),
        ("hub.intake", "import monitor.thing"),
        ("hub.intake", "import demo.thing"),
        ("demo.city", "import monitor.thing"),
        ("hub.dispatch", "import pika"),
        ("adapters.amqp.source", "import pika"),
        ("hub.dispatch", "import tenacity"),
        ("hub.intake", "import prometheus_client"),
        ("hub.intake", "import opentelemetry.trace"),
        ("adapters.rest.source", "import zeep"),
        ("adapters.door", "import pytest"),
        ("hub.dispatch", "import adapters.conformance.destination"),
    ],
)
def test_an_import_that_points_up_or_away_from_home_is_noticed(module: str, line: str, tmp_path: Path) -> None:
    linted = lint(a_house(tmp_path, **{module: line}))

    assert linted.returncode == 1, linted.stdout
    assert module in linted.stdout


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("hub.bootstrap", "import monitor.thing"),
        ("hub.cli.demo", "import demo.thing"),
        ("hub.intake", "import adapters.thing, mappings.thing, standards.thing"),
        ("demo.city", "import hub.thing, adapters.thing, mappings.thing, standards.thing"),
        ("monitor.page", "import standards.thing"),
        ("hub.broker.rabbitmq", "import pika"),
        ("adapters.transport", "import tenacity"),
        ("monitor.metrics", "import prometheus_client"),
        ("standards.tracing", "import opentelemetry.trace"),
        ("adapters.soap_pull.client", "import zeep"),
        ("adapters.conformance.destination", "import pytest"),
    ],
)
def test_an_import_that_points_down_or_is_at_home_is_allowed(module: str, line: str, tmp_path: Path) -> None:
    linted = lint(a_house(tmp_path, **{module: line}))

    assert linted.returncode == 0, linted.stdout

"""The mappings of the demo's departments: without a mistake, and their cases come out."""

import pytest
from typer.testing import CliRunner

from hub.cli.main import app
from mappings.load import MappingFolders

NAMES = [name for name in MappingFolders().names() if name.startswith("demo_")]


def test_every_department_with_a_system_has_one() -> None:
    assert NAMES == [
        "demo_drug/credit_license",
        "demo_ecology/punish_action",
        "demo_market/check_action",
        "demo_registry/supervise_object",
    ]


@pytest.mark.parametrize("verb", ["lint", "test"])
def test_they_are_right(verb: str) -> None:
    done = CliRunner().invoke(app, ["mapping", verb, *NAMES])

    assert done.exit_code == 0, done.output

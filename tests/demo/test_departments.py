"""Every generator: its files are judged as it states, on any day, also in a year whose working days nobody knows."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from adapters.formats.base import LegacyChunk
from adapters.formats.open import open_records
from adapters.formats.payload import BytesPayload
from demo import city as the_city
from demo.records import Department, File
from hub import config
from hub.generations import Generation, assemble, collect, lay_out
from hub.plan import Plan
from hub.translate.prepare import prepare
from hub.vault import NO_SEAL
from standards.exports import FORMATS
from standards.model import Severity
from standards.registry import built_in
from standards.states import Verdict
from tests.demo.stated import NAMES, STATED

DAYS = [date(2026, 3, 1), date(2031, 1, 5)]


def city(today: date) -> tuple[Department, ...]:
    standard = built_in()
    template = FORMATS["xlsx"].export(standard.dataset("check_action"), standard)
    return the_city.departments(standard, today, template)


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Generation:
    folder = tmp_path_factory.mktemp("demo")
    settings = config.parse(the_city.settings(folder, 8080, "http://127.0.0.1:1"), "hub.toml")
    body = collect(settings, None)
    lay_out(folder / "generation", body.files)
    return assemble(0, body, folder / "generation", NO_SEAL)


def test_the_departments_state_what_is_written_down() -> None:
    for one in city(DAYS[0]):
        counts = one.counts
        stated = [counts[Verdict(name)] for name in NAMES[1:]]
        assert (sum(stated), *stated) == STATED[one.connection], one.connection


@pytest.mark.parametrize("today", DAYS, ids=str)
def test_every_faulty_record_has_the_finding_that_was_planted_and_no_other_has_one(
    generation: Generation, today: date
) -> None:
    for one in city(today):
        plan = generation.plan(one.connection, {})
        for file in one.files:
            found = dict(errors(plan, file, today))
            planted = {n: r.code for n, r in enumerate(file.records, 1) if r.verdict is Verdict.REJECTED}
            assert set(found) == set(planted), (one.connection, file.name)
            assert all(planted[n] in codes for n, codes in found.items()), (one.connection, file.name)


def records(plan: Plan, file: File) -> Iterator[LegacyChunk]:
    return open_records(BytesPayload(file.name, file.data), plan.read)[1]


def errors(plan: Plan, file: File, today: date) -> Iterator[tuple[int, set[str]]]:
    first = 1
    for chunk in records(plan, file):
        codes: dict[int, set[str]] = {}
        for said in prepare(plan, chunk, first, today.isoformat()).findings:
            if said.severity is Severity.ERROR:
                codes.setdefault(first + said.row, set()).add(said.code)
        yield from codes.items()
        first += chunk.count
    assert first - 1 == len(file.records)


def test_no_column_of_a_department_is_unknown_to_its_mapping(generation: Generation) -> None:
    for one in city(DAYS[0]):
        plan = generation.plan(one.connection, {})
        for chunk in records(plan, one.files[0]):
            assert plan.program.unknown(chunk.fields) == (), one.connection


def test_the_settings_can_stand_in_any_folder(tmp_path: Path) -> None:
    odd = tmp_path / '大同 "demo" \\ 1'

    settings = config.parse(the_city.settings(odd, 8080, "http://127.0.0.1:1"), "hub.toml")

    assert settings.connections["ecology-penalties"].settings["folder"] == f"{odd}/folders/ecology"

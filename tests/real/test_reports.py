"""Reports over the real files: opened in LibreOffice, and equal to plain SQL over the ledger."""

from __future__ import annotations

import csv
import shutil
import subprocess
from pathlib import Path

import pytest
from sqlalchemy import text

from hub.bootstrap import Hub
from monitor.report import SHEETS, workbook
from tests.real.test_real_files import data_of
from tools.real.expected import REAL
from tools.real.running import hand_over


def test_figures_equal_plain_sql_and_the_workbook_opens_in_libreoffice(
    hub: Hub, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    for one in REAL:
        hand_over(hub, one, data_of(one), "report")
    report = hub.reports().report("year")

    with hub.ledger.read() as connection:
        sums = connection.execute(
            text(
                "SELECT party, sum(read), sum(accepted), sum(rejected), sum(held), sum(duplicate)"
                " FROM submission GROUP BY party"
            )
        ).all()
        delivered = connection.execute(
            text(
                "SELECT s.party, sum(p.accepted), sum(p.refused) FROM parcel p"
                " JOIN submission s ON s.id = p.submission_id GROUP BY s.party"
            )
        ).all()
        opened = connection.execute(text("SELECT party, count(*) FROM case_ GROUP BY party")).all()
        dated = connection.execute(
            text(
                "SELECT s.party, count(*) FROM record r JOIN submission s ON s.id = r.submission_id"
                " WHERE r.verdict = 'accepted' AND r.operation <> 'd' AND r.event_date <> ''"
                " AND date(r.event_date) <= date(s.received_at, '+8 hours') GROUP BY s.party"
            )
        ).all()
        days = connection.execute(
            text(
                "SELECT s.party, sum(julianday(date(s.received_at, '+8 hours'))"
                " - julianday(substr(r.event_date, 1, 10)) + 1) FROM record r"
                " JOIN submission s ON s.id = r.submission_id"
                " WHERE r.verdict = 'accepted' AND r.operation <> 'd' AND r.event_date <> ''"
                " AND date(r.event_date) <= date(s.received_at, '+8 hours') GROUP BY s.party"
            )
        ).all()
    parties = {row["party"]: row for row in report["parties"]}
    assert sum(row["handed"] for row in parties.values()) > 1000
    names = ("handed", "accepted", "rejected", "held", "duplicate")
    assert {p: tuple(row[n] for n in names) for p, row in parties.items() if row["handed"]} == {
        row[0]: tuple(row[1:]) for row in sums if row[1]
    }
    for party, accepted, refused in delivered:
        assert (parties[party]["delivered"], parties[party]["refused"]) == (accepted, refused), party
    for party, count in opened:
        assert parties[party]["cases_opened"] == count, party
    whole = {row[0]: row[1] for row in days}
    for party, count in dated:
        assert parties[party]["timeliness"] == pytest.approx(count / whole[party]), party

    path = tmp_path / "report.xlsx"
    path.write_bytes(workbook(report))
    office = shutil.which("soffice")
    if office is None:
        if request.config.getoption("--full"):
            pytest.fail("LibreOffice is not there: ./run test --full installs it")
        pytest.skip("LibreOffice is only there with --full")
    done = subprocess.run(
        [
            office,
            f"-env:UserInstallation=file://{tmp_path}/profile",
            "--headless",
            "--convert-to",
            "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,false,false,false,false,-1",
            "--outdir",
            str(tmp_path),
            str(path),
        ],
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    # Without Java it says so; nothing of a report needs it.
    said = [line for line in done.stderr.splitlines() if "javaldx" not in line]
    assert not said, "it opens without complaint"
    for table, (title, _, columns) in SHEETS.items():
        with (tmp_path / f"report-{title}.csv").open(encoding="utf-8", newline="") as file:
            heading, heads, *rows = csv.reader(file)
        assert "监管数据交换年报" in heading[0]
        assert heads == [column[1] for column in columns]
        assert len(rows) == len(report[table])
        for found, row in zip(rows, report[table], strict=True):
            for value, (name, _, _, form) in zip(found, columns, strict=True):
                if form and row[name] is not None:
                    told = float(value.rstrip("%")) / (100 if value.endswith("%") else 1)
                    assert told == pytest.approx(row[name]), (table, name)
                else:
                    assert value == ("" if row[name] is None else str(row[name])), (table, name)

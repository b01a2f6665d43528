"""The demo city 大同: its departments, what each hands over, and its settings."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from demo import drug, ecology, emergency, market, registry
from demo.firms import firms
from demo.province import refused
from demo.records import Department
from standards.registry import Standard

#: How much each hands over.
SUBJECTS = 1500
PENALTIES, CORRECTED, AMENDED = 1200, 200, 10
CHECKS = 1000
BATCHES, BATCH, SINGLES = 12, 40, 20
FILLED_IN = 120
#: Penalties that came from a check of market supervision, and the two of a check that nobody reports.
_TRANSFERRED = range(300, 312)
_UNREPORTED = (320, 340)

#: The licence that the hints of a running demo push: the number after the last one.
NEXT_LICENCE = BATCHES * BATCH + SINGLES + 1


def departments(standard: Standard, today: date, template: bytes) -> tuple[Department, ...]:
    """The five, with everything they hand over; `template` is the Excel template of check_action."""
    pool = firms(SUBJECTS)
    known = {n: market.number_of(n - _TRANSFERRED.start + 1, today) for n in _TRANSFERRED}
    unknown = {n: market.number_of(90_000 + n, today) for n in _UNREPORTED}
    return (
        Department(
            connection="ecology-penalties",
            party="ecology",
            title="市生态环境局 行政处罚",
            title_en="ecology, penalties",
            way="folder",
            form="CSV, GB18030",
            dataset="punish_action",
            files=(
                ecology.export(pool, today, PENALTIES, known=known, unknown=unknown),
                ecology.correction(pool, today, CORRECTED, AMENDED, refused),
            ),
        ),
        Department(
            connection="market-checks",
            party="market",
            title="市市场监管局 监督检查",
            title_en="market supervision, checks",
            way="rest",
            form="XML, GBK",
            dataset="check_action",
            files=(market.message(pool, today, CHECKS),),
        ),
        Department(
            connection="drug-licences",
            party="drug",
            title="市药监局 行政许可",
            title_en="drug regulator, licences",
            way="rest",
            form="JSON",
            dataset="credit_license",
            files=tuple(drug.pushes(pool, today, BATCHES, BATCH, SINGLES)),
        ),
        Department(
            connection="emergency-checks",
            party="emergency",
            title="市应急局 安全检查",
            title_en="emergency bureau, checks",
            way="folder",
            form="Excel",
            dataset="check_action",
            files=(emergency.workbook(template, standard, pool, today, FILLED_IN),),
        ),
        Department(
            connection="registry-subjects",
            party="registry",
            title="市行政审批局 经营主体",
            title_en="business registry, subjects",
            way="folder",
            form="CSV, UTF-8",
            dataset="supervise_object",
            files=(registry.export(pool, today),),
        ),
    )


def settings(state: Path, port: int, centre: str) -> str:
    """hub.toml of the city in a state folder, without its neighbours (demo.upper)."""
    text = Path(__file__).with_name("city.toml").read_text("utf-8")
    # A folder's name may hold quotes or backslashes; JSON writes text as TOML reads it.
    return text.format(state=json.dumps(str(state), ensure_ascii=False)[1:-1], port=port, centre=centre)


def one_licence(today: date) -> bytes:
    """A licence that the city has not reported yet."""
    return drug.single(firms(SUBJECTS), today, NEXT_LICENCE)

"""Synthetic twins of the real files travel the same roads, with or without the real ones at hand."""

from __future__ import annotations

import pytest

from hub.bootstrap import Hub
from standards.ports import ReceiptView
from tests.real.twins import ANOTHER, TWINS, csv
from tools.real.expected import REAL, by_name
from tools.real.running import hand_over


def adds_up(view: ReceiptView) -> bool:
    return view.read == view.accepted + view.rejected + view.held + view.duplicate


def test_every_mapping_of_real_input_has_a_twin() -> None:
    assert {one.mapping for one in REAL} == {by_name(name).mapping for name in TWINS}


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_is_read_and_judged(hub: Hub, name: str) -> None:
    make, read, accepted = TWINS[name]

    view = hand_over(hub, by_name(name), make())

    assert view.document["problem"] is None
    assert (view.read, view.accepted) == (read, accepted), view.document["commonest"]
    assert adds_up(view)
    # The only notes there may be: what the reader itself saw. No column is unknown, none is missing.
    assert not {n["code"] for n in view.document["notes"]} & {"10004.column", "10004.field"}
    for record in view.document["records"]:
        assert record["findings"], "whoever is rejected is told why"


def registry_of(capital: str) -> bytes:
    header = "企业名称,统一社会信用代码,注册日期,企业类型,法人代表,注册资金,经营范围,所在省份,地区,注册地址"
    line = f"某某更正有限公司,{ANOTHER},2018-01-05,N/A,张**,{capital},x,湖南,常德,湖南省常德市"
    return csv(header, line)


def test_corrections_make_revisions_and_a_to_b_to_a_makes_three(hub: Hub) -> None:
    one = by_name("registry-guangdong-2005")

    views = [
        hand_over(hub, one, registry_of(capital)) for capital in ("100(万元)", "200(万元)", "100(万元)", "100(万元)")
    ]

    assert [(v.accepted, v.duplicate) for v in views] == [(1, 0), (1, 0), (1, 0), (0, 1)]
    assert views[3].document["duplicates"][0]["held_by"] == views[2].receipt_no

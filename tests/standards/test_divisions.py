"""GB/T 2260 by year and GB/T 4754."""

from pathlib import Path

import pytest

from standards.divisions import RegionLevel, read_regions
from standards.registry import built_in

REGIONS = built_in().regions
INDUSTRIES = built_in().industries


def test_a_county_directly_under_its_province_has_the_province_as_parent() -> None:
    for code, name in (("429004", "湖北省仙桃市"), ("419001", "河南省济源市"), ("659001", "新疆维吾尔自治区石河子市")):
        region = REGIONS.get(code)

        assert region is not None
        assert region.parent == code[:2] + "0000"
        assert REGIONS.full_name(code) == name


def test_the_path_of_a_county_goes_through_its_city() -> None:
    assert [r.code for r in REGIONS.path("330203")] == ["330000", "330200", "330203"]
    assert REGIONS.full_name("330203") == "浙江省宁波市海曙区"
    assert REGIONS.full_name("110101") == "北京市东城区"
    assert REGIONS.full_name("100000") == "中华人民共和国"
    assert REGIONS.full_name("340371") == "安徽省蚌埠市高新技术开发区"


def test_a_withdrawn_code_resolves_and_says_so() -> None:
    assert REGIONS.withdrawn("110103")
    assert REGIONS.state("110103") == "withdrawn"
    assert REGIONS.full_name("110103") == "北京市崇文区"


def test_a_code_has_the_name_of_its_year() -> None:
    names = {year: getattr(REGIONS.get("130502", year), "name", None) for year in (1970, 2019, 2020, 2026)}

    assert names == {1970: None, 2019: "桥东区", 2020: "襄都区", 2026: "襄都区"}


def test_a_code_does_not_hold_before_and_after_its_years() -> None:
    assert REGIONS.get("110103", 2010) is not None
    assert REGIONS.get("110103", 2011) is None
    assert REGIONS.get("653229", 2023) is None
    assert REGIONS.get("653229", 2024) is not None


def test_a_code_that_was_never_given_out_is_unknown() -> None:
    assert REGIONS.state("990000") == "unknown"
    assert not REGIONS.known("990000")
    assert REGIONS.get("990000") is None
    assert REGIONS.path("990000") == ()


def test_every_parent_is_there_and_no_path_runs_in_a_circle() -> None:
    for level in RegionLevel:
        for code in REGIONS.present(level):
            path = REGIONS.path(code)
            assert len(path) <= 4
            assert path == () or path[0].level is RegionLevel.PROVINCE


def test_there_are_34_provinces_and_more_than_2800_counties() -> None:
    assert len(REGIONS.present(RegionLevel.PROVINCE)) == 34
    assert len(REGIONS.present(RegionLevel.COUNTY)) > 2800


def test_within_follows_the_path() -> None:
    assert REGIONS.within("330203", "330200")
    assert REGIONS.within("429004", "420000")
    assert not REGIONS.within("330203", "330100")


def test_children_are_the_present_ones() -> None:
    children = REGIONS.children("110000")

    assert "110101" in children
    assert "110103" not in children


def test_industries_have_the_numbers_the_standard_states() -> None:
    counts: dict[str, int] = {}
    for industry in INDUSTRIES.all().values():
        counts[industry.level] = counts.get(industry.level, 0) + 1

    assert (counts["section"], counts["division"], counts["group"]) == (20, 97, 473)


@pytest.mark.parametrize(
    ("code", "canonical"),
    [
        ("C3912", "C3912"),
        ("3912", "C3912"),
        ("3900", "C39"),
        ("39", "C39"),
        ("A", "A"),
        ("0110", "A011"),
        ("9700", "T9700"),
    ],
)
def test_industry_codes_are_taken_in_every_form_in_use(code: str, canonical: str) -> None:
    assert INDUSTRIES.known(code)
    assert INDUSTRIES.canonical(code) == canonical


@pytest.mark.parametrize("code", ["Z", "Z0000", "9999", "A3912", "391234", ""])
def test_what_is_no_industry_code_is_refused(code: str) -> None:
    assert not INDUSTRIES.known(code)


def test_a_faulty_table_is_refused_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "regions.csv"
    path.write_text("code,name,level,parent,valid_from,valid_to\n330000,浙江省,province,,x,\n", encoding="utf-8")

    with pytest.raises(ValueError, match=r"regions\.csv:2"):
        read_regions(path)

"""From names of places to division codes: 湖南省, 长沙市, 岳麓区 → 430104."""

from __future__ import annotations

from standards.divisions import Region, RegionLevel, Regions

_ENDINGS = (
    "特别行政区",
    "维吾尔自治区",
    "壮族自治区",
    "回族自治区",
    "自治区",
    "自治州",
    "自治县",
    "自治旗",
    "地区",
    "林区",
)
_SHORT_ENDINGS = ("省", "市", "区", "县", "旗", "盟", "州")
_UNITS = (RegionLevel.PROVINCE, RegionLevel.CITY, RegionLevel.COUNTY, RegionLevel.ZONE)


def short(name: str) -> str:
    """A place name without the word for its kind; names of two characters stay whole."""
    for ending in (*_ENDINGS, *_SHORT_ENDINGS):
        if name.endswith(ending) and len(name) - len(ending) >= 2:
            return name.removesuffix(ending)
    return name


class RegionNames:
    """Finds present divisions by their names, from above to below."""

    def __init__(self, regions: Regions) -> None:
        self._regions = regions
        self._by_name: dict[str, list[Region]] = {}
        for level in _UNITS:
            for code in regions.present(level):
                region = regions.get(code)
                if region is not None:
                    for name in {region.name, short(region.name)}:
                        self._by_name.setdefault(name, []).append(region)
        self._found: dict[tuple[str, ...], str] = {}

    def find(self, *names: str) -> str:
        """The code of the lowest place that can be told without doubt; '' when none can."""
        key = tuple(name.strip() for name in names)
        found = self._found.get(key)
        if found is None:
            if len(self._found) > 50_000:
                self._found.clear()
            found = self._found[key] = self._look(key)
        return found

    def _look(self, names: tuple[str, ...]) -> str:
        here = ""
        for name in names:
            if not name:
                continue
            candidates = self._by_name.get(name) or self._by_name.get(short(name)) or []
            inside = [r for r in candidates if not here or (r.code != here and self._regions.within(r.code, here))]
            if len({r.code for r in inside}) > 1:
                exact = [r for r in inside if r.name == name]
                inside = exact if len({r.code for r in exact}) == 1 else self._highest(inside)
            if len({r.code for r in inside}) == 1:
                here = inside[0].code
        return here

    @staticmethod
    def _highest(regions: list[Region]) -> list[Region]:
        """Of places of one name the one that stands above the others, if there is just one."""
        for level in _UNITS:
            at_level = [r for r in regions if r.level is level]
            if at_level:
                return at_level
        return []

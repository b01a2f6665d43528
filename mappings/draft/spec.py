"""One element of a drafted mapping: from which field or fields, and what its values need to be read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from mappings.draft.looks import date_format
from mappings.draft.names import called_like
from mappings.draft.pairs import SIGNS
from mappings.draft.place import Placement
from mappings.draft.profile import Profile
from standards.model import Kind

_UNITS = ("百万元", "万元", "亿元", "千元", "元")
_DATES = (Kind.DATE, Kind.DATETIME)


def quoted(text: str) -> str:
    """A text as a YAML scalar that means the same everywhere."""
    return json.dumps(text, ensure_ascii=False)


def spec(placed: Sequence[Placement], profiles: Mapping[str, Profile], has_pairs: bool) -> str:
    """What stands behind the element's name; several fields are certificates of which the first given one counts."""
    p, seen = placed[0], profiles[placed[0].field]
    words = {"from": quoted(p.field)}
    if len(placed) > 1:
        words = {"first": "[" + ", ".join(quoted(one.field) for one in placed) + "]"}
    own, theirs = _unit(p.field, seen), next((u for u in _UNITS if u in p.element.title), None)
    if p.element.type is Kind.DECIMAL:
        if seen.known and seen.share("number") < 0.8 <= seen.share("amount"):
            words |= {"replace": '{",": ""}', "pattern": quoted(r"([0-9.]+)")}
        if own and theirs and own != theirs:
            words |= {"unit": own, "to": theirs}
    if p.element.type is Kind.LIST and any(sign in value for value in seen.common for sign in SIGNS):
        words["split"] = "[" + ", ".join(quoted(sign) for sign in SIGNS) + "]"
    if has_pairs:
        words["codes"] = p.element.id
    if p.element.type is Kind.USCC or (p.element.identified_by and seen.share("uscc") > 0):
        words["upper"] = "true"
    if p.element.type in _DATES and seen.date_formats:
        words["date"] = "[" + ", ".join(quoted(form) for form in seen.date_formats) + "]"
    if len(words) == 1 and "from" in words:
        return words["from"]
    return "{" + ", ".join(f"{name}: {value}" for name, value in words.items()) + "}"


def day_or_month(seen: Profile) -> bool:
    """Whether the dates can be read with day and month in either order."""
    turned = [form.replace("%m/%d", "%d/%m") for form in seen.date_formats if form.startswith("%m/%d")]
    dates = [value for value in seen.common if date_format(value)]
    return bool(turned) and all(date_format(value, ("auto", *turned)) for value in dates)


def _unit(field: str, seen: Profile) -> str | None:
    """The unit in the field's name, or in its values."""
    named = next((u for u in _UNITS if u in field), None)
    if named or not seen.common:
        return named
    with_unit = [v for v in seen.common if "万" in v]
    return "万元" if len(with_unit) > 0.8 * len(seen.common) else None


def certificate_type(placed: Sequence[Placement], profiles: Mapping[str, Profile], codes: Mapping[str, str]) -> str:
    """An expression for the kind of certificate, by the fields that hold the numbers; '' when it cannot be told."""
    text = "''"
    for one in reversed(placed):
        code = _kind_of(one.field, profiles[one.field], codes)
        if not code:
            return ""
        text = f"'{code}' if given(field({_in_expression(one.field)})) else {text}"
    return text


def _in_expression(field: str) -> str:
    return "'" + field.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _kind_of(field: str, seen: Profile, codes: Mapping[str, str]) -> str:
    looks = {"uscc": "统一社会信用代码", "id_number": "居民身份证", "reg_no": "工商注册号", "org_code": "组织机构代码"}
    by_name = {name: code for code, name in codes.items()}
    for look, name in looks.items():
        if seen.share(look) >= 0.8 and name in by_name:
            return by_name[name]
    likest = max(by_name, key=lambda name: called_like(field, [name]), default="")
    return by_name[likest] if likest and called_like(field, [likest]) >= 0.8 else ""

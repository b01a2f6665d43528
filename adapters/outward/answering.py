"""What a receiver with words of its own answered, as an answer of ours, by the form's `answer`."""

from __future__ import annotations

import json
from typing import Any

from lxml import etree

from adapters.outward.rendering import Rendered
from mappings.outward.grammar import AnswerSpec
from standards import xml
from standards.errors import AnswerNotUnderstood, HubError, ReceiverRefused, SystemBusy
from standards.parcel import Answer, AnswerLine, Result

#: Anything readable: text, or names with values, or several.
Tree = "str | dict[str, Tree] | list[Tree]"


def answer_of(said: bytes, rendered: Rendered, *, speaker: str, level: str) -> Answer:
    """Read the answer.  Raises ReceiverRefused (the whole), SystemBusy, AnswerNotUnderstood."""
    spec = rendered.form.file.answer
    if spec.read == "none":
        return Answer(lines=rendered.refused, speaker=speaker, level=level)
    tree = _read(said, spec.read)
    if spec.inner:
        text = pick(tree, spec.inner)
        if not isinstance(text, str) or not text.strip():
            raise _unclear(f"nothing at {spec.inner}")
        tree = _read(text.encode(), spec.inner_read)
    lines = _lines(tree, rendered, spec)
    code = _text(tree, spec.code) if spec.code else spec.ok[0]
    if spec.code and not code:
        raise _unclear(f"no code at {spec.code}")
    if code in spec.busy:
        raise SystemBusy(f"{speaker} says {code}", what_zh=f"{speaker} 返回 {code}：稍后再试")
    if code not in spec.ok and not lines:
        why = _text(tree, spec.message)
        raise ReceiverRefused(
            f"{speaker} says {code}: {why}"[:300],
            what_zh=f"{speaker} 拒收（{code}）：{why}"[:300],
            params={"code": code},
        )
    return Answer(lines=(*rendered.refused, *lines), speaker=speaker, level=level, receipt_no=_text(tree, spec.receipt))


def _lines(tree: Any, rendered: Rendered, spec: AnswerSpec) -> list[AnswerLine]:
    """What was said of single rows.  A line that names no row of ours is not passed over."""
    if not spec.lines:
        return []
    by_key = {rendered.form.key(row): cd_id for cd_id, row in rendered.rows}
    found = pick(tree, spec.lines)
    lines = found if isinstance(found, list) else [found] if found else []
    made = []
    for line in lines:
        code = _text(line, spec.line_code)
        cd_id = _whose(line, rendered, spec, by_key)
        if cd_id is None:
            raise _unclear("a line names no row that was sent")
        if spec.line_ok and code in spec.line_ok:
            continue
        made.append(
            AnswerLine(
                cd_id=cd_id,
                result=Result.REFUSED,
                code=code,
                element=_element(_text(line, spec.element), rendered),
                message=_text(line, spec.message),
            )
        )
    return made


def _whose(line: Any, rendered: Rendered, spec: AnswerSpec, by_key: dict[tuple[str, ...], str]) -> str | None:
    if spec.row:
        number = _text(line, spec.row)
        if number.isdigit() and 1 <= int(number) <= len(rendered.rows):
            return rendered.rows[int(number) - 1][0]
        return None
    return by_key.get(tuple(_text(line, path) for path in spec.key))


def _element(column: str, rendered: Rendered) -> str:
    """Their column in our words."""
    for name, spec in rendered.form.file.columns.items():
        if column and name.rpartition("/")[2].upper() == column.upper() and spec.elements:
            return spec.elements[0]
    return column


def pick(tree: Any, path: str) -> Any:
    """The value at a path; '' when there is none.  Of several the first, until the last step."""
    for step in path.split("/") if path else ():
        if isinstance(tree, list):
            tree = tree[0] if tree else ""
        tree = tree.get(step, "") if isinstance(tree, dict) else ""
    return tree


def _text(tree: Any, path: str) -> str:
    if not path:
        return ""
    found = pick(tree, path)
    return "" if isinstance(found, dict | list) or found is None else str(found)


def _read(said: bytes, how: str) -> Any:
    try:
        if how == "json":
            return json.loads(said)
        if how == "xml":
            root = xml.parse(said)
            return {xml.local(str(root.tag)): _tree(root)}
        return said.decode().strip()
    except (ValueError, HubError) as error:
        raise _unclear(f"it is no {how}") from error


def _tree(element: etree._Element) -> Any:
    """An XML element as names with values; attributes stand as @name, several of one name as a list."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children and not element.attrib:
        return (element.text or "").strip()
    made: dict[str, Any] = {f"@{name}": value for name, value in element.attrib.items()}
    for child in children:
        name, value = xml.local(str(child.tag)), _tree(child)
        if name in made:
            made[name] = [*made[name], value] if isinstance(made[name], list) else [made[name], value]
        else:
            made[name] = value
    if not children:
        made["."] = (element.text or "").strip()
    return made


def _unclear(why: str) -> AnswerNotUnderstood:
    return AnswerNotUnderstood(f"the answer cannot be understood: {why}", what_zh="对方应答格式无法识别")

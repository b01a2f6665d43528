"""JSON Schema (2020-12) of one record.

Values are text; numbers are taken for amounts and counts, null and '' mean "not given".  What the schema cannot say
(check characters, the order of dates, references) stands in `x-rules`; the checker judges it.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from operator import ge, gt, le, lt
from typing import Any

from standards.exports.patterns import form, literal
from standards.model import DataSet, Element, FilledBy, Kind, Severity
from standards.registry import Standard

Schema = dict[str, Any]

_GIVEN = {"$ref": "#/$defs/given"}
#: Text without control and zero-width characters; tab and line breaks may stand in it.
_CLEAN = "^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f\\u200b\\u2028\\u2029\\ufeff]*$"
_ORDER: Mapping[type[ast.cmpop], Callable[[str, str], bool]] = {ast.Lt: lt, ast.LtE: le, ast.Gt: gt, ast.GtE: ge}


class _NotExpressible(Exception):
    """JSON Schema has no words for this condition."""


def export(dataset: DataSet, standard: Standard) -> bytes:
    """The schema of one record of the data set as a sender gives it."""
    return (json.dumps(schema(dataset, standard), ensure_ascii=False, indent=2) + "\n").encode()


def schema(dataset: DataSet, standard: Standard) -> Schema:
    """The same as a Python value."""
    elements = [e for e in standard.elements(dataset) if e.filled_by is FilledBy.SENDER or e.sender_may]
    own = [e for e in dataset.elements if e in elements]
    conditions, unsaid = _conditions(dataset, own, standard)
    musts = [e.id for e in own if e.need == "must" and e.filled_by is FilledBy.SENDER]
    keys = [name for name in dataset.natural_key if dataset.by_id[name].need == "must"]
    whole: Schema = {"required": musts, "properties": dict.fromkeys(musts, _GIVEN)}
    if conditions:
        whole["allOf"] = conditions
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:supervision-exchange-hub:dataset:{dataset.id}:{dataset.version}",
        "title": dataset.title,
        "description": dataset.purpose,
        "type": "object",
        "$defs": {"given": {"type": ["string", "number"], "minLength": 1}},
        "properties": {e.id: _property(e, standard) for e in elements},
        # A deletion needs the key only.
        "if": _equals("cd_operation", ["d"]),
        "then": {"required": keys, "properties": dict.fromkeys(keys, _GIVEN)},
        "else": whole,
        "x-natural-key": list(dataset.natural_key),
        "x-rules": unsaid,
    }


def _property(element: Element, standard: Standard) -> Schema:
    found: Schema = {"title": element.title, "description": _described(element)}
    numeric = element.type in (Kind.DECIMAL, Kind.INT)
    found["type"] = ["string", "number", "null"] if numeric else ["string", "null"]
    if element.type is Kind.CODE:
        found["enum"] = [*standard.codes(element.list or ""), "", None]
        return found
    if element.max is not None and not numeric:
        found["maxLength"] = element.max
    pattern = form(element, standard)
    if pattern is not None:
        found["pattern"] = f"^({pattern})?$"
    elif element.type in (Kind.TEXT, Kind.LONGTEXT):
        found["pattern"] = _CLEAN
    if element.type is Kind.INT:
        found["multipleOf"] = 1
    if element.type is Kind.JSON:
        found["contentMediaType"] = "application/json"
    return found


def _described(element: Element) -> str:
    parts = [element.title_en, element.note, element.pattern_says_en or element.pattern_says]
    return "; ".join(part for part in parts if part)


def _conditions(dataset: DataSet, own: list[Element], standard: Standard) -> tuple[list[Schema], list[Schema]]:
    """What can be said in the schema's language, and what cannot."""
    translate = _Translate(dataset, standard)
    said: list[Schema] = []
    unsaid: list[Schema] = []
    groups: dict[str, list[Element]] = {}
    for element in own:
        if element.filled_by is not FilledBy.SENDER:
            continue
        if element.group is not None:
            groups.setdefault(element.group, []).append(element)
        elif element.when is not None:
            try:
                said.append({"if": translate(element.when), "then": _given(element.id)})
            except _NotExpressible:
                unsaid.append({"id": element.id, "needed": element.when})
    for name, held in groups.items():
        one_of_them = {"anyOf": [_given(e.id) for e in held]}
        conditions = sorted({e.when for e in held if e.when})
        try:
            when = {"anyOf": [translate(c) for c in conditions]}
            said.append({"if": when, "then": one_of_them} if conditions else one_of_them)
        except _NotExpressible:
            unsaid.append({"id": name, "one of": [e.id for e in held], "needed": " or ".join(conditions)})
    for rule in dataset.rules:
        try:
            if rule.severity is Severity.ERROR:
                said.append({"not": translate(rule.when), "$comment": rule.says})
                continue
        except _NotExpressible:
            pass
        unsaid.append({"id": rule.id, "broken": rule.when, "severity": rule.severity, "says": rule.says})
    return said, unsaid


def _given(name: str) -> Schema:
    return {"required": [name], "properties": {name: _GIVEN}}


def _equals(name: str, values: list[str]) -> Schema:
    return {"required": [name], "properties": {name: {"enum": values}}}


def _matches(name: str, pattern: str) -> Schema:
    return {"required": [name], "properties": {name: {"type": "string", "pattern": pattern}}}


class _Translate:
    """Conditions on one element and their combinations; comparisons between elements are beyond JSON Schema."""

    def __init__(self, dataset: DataSet, standard: Standard) -> None:
        self.dataset = dataset
        self.standard = standard

    def __call__(self, condition: str) -> Schema:
        return self._say(ast.parse(condition.strip(), mode="eval").body)

    def _say(self, node: ast.expr) -> Schema:
        match node:
            case ast.BoolOp(op=ast.And()):
                return {"allOf": [self._say(v) for v in node.values]}
            case ast.BoolOp():
                return {"anyOf": [self._say(v) for v in node.values]}
            case ast.UnaryOp(op=ast.Not()):
                return {"not": self._say(node.operand)}
            case ast.Compare(left=ast.Name(id=name), ops=[operator], comparators=[right]):
                return self._compared(name, operator, right)
            case ast.Compare(
                left=ast.Call(func=ast.Name(id="number"), args=[ast.Name(id=name)]),
                ops=[ast.Gt()],
                comparators=[ast.Constant(value=0)],
            ):
                positive = {"type": "number", "exclusiveMinimum": 0}
                text = {"type": "string", "pattern": "^[0-9.]*[1-9][0-9.]*$"}
                return {"required": [name], "properties": {name: {"anyOf": [positive, text]}}}
            case ast.Call(func=ast.Name(id=function), args=[ast.Name(id=name), *rest]):
                return self._called(function, name, [_constant(n) for n in rest])
        raise _NotExpressible

    def _compared(self, name: str, operator: ast.cmpop, right: ast.expr) -> Schema:
        values = [_constant(n) for n in right.elts] if isinstance(right, ast.Tuple | ast.List) else [_constant(right)]
        if isinstance(operator, ast.Eq | ast.In):
            return _equals(name, values)
        if isinstance(operator, ast.NotEq | ast.NotIn):
            return {"not": _equals(name, values)}
        element = self.dataset.by_id.get(name)
        if element is None or element.type is not Kind.CODE:
            raise _NotExpressible
        holds = _ORDER[type(operator)]
        return _equals(name, [c for c in self.standard.codes(element.list or "") if holds(c, values[0])])

    @staticmethod
    def _called(function: str, name: str, words: list[str]) -> Schema:
        choices = "|".join(literal(w) for w in words)
        match function:
            case "given":
                return _given(name)
            case "empty":
                return {"not": _given(name)}
            case "contains":
                return _matches(name, f"(^|;)({choices})(;|$)")
            case "mentions":
                return _matches(name, f"({choices})")
            case "starts":
                negative = {"type": "number", "exclusiveMaximum": 0}
                text = {"type": "string", "pattern": f"^({choices})"}
                alternatives = [text, negative] if words == ["-"] else [text]
                return {"required": [name], "properties": {name: {"anyOf": alternatives}}}
        raise _NotExpressible


def _constant(node: ast.expr) -> str:
    if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
        raise _NotExpressible
    return node.value

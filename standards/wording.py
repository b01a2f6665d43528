"""A condition of the standard in words: what a clerk reads instead of an expression.

contains(punish_type, '02')     “处罚种类”包含“02 罚款”        "Kinds of penalty" contains "02 罚款"
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Protocol

from standards.model import DataSet, Element


class CodeNames(Protocol):
    """Knows what codes are called."""

    def codes(self, list_id: str) -> Mapping[str, str]:
        """Code to name of a code list; raises LookupError when there is none."""
        ...


_COMPARE: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Eq: ("为", "is"),
    ast.NotEq: ("不为", "is not"),
    ast.Lt: ("小于", "is less than"),
    ast.LtE: ("不大于", "is at most"),
    ast.Gt: ("大于", "is more than"),
    ast.GtE: ("不小于", "is at least"),
    ast.In: ("为", "is one of"),
    ast.NotIn: ("不为", "is none of"),
}
_ORDER: dict[type[ast.cmpop], Callable[[str, str], bool]] = {ast.Lt: lt, ast.LtE: le, ast.Gt: gt, ast.GtE: ge}
_DATES: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("早于", "is before"),
    ast.LtE: ("不晚于", "is not after"),
    ast.Gt: ("晚于", "is after"),
    ast.GtE: ("不早于", "is not before"),
}
_ARITHMETIC: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("与{}之和", " plus {}"),
    ast.Sub: ("减{}", " minus {}"),
    ast.Mult: ("乘以{}", " times {}"),
    ast.Div: ("除以{}", " divided by {}"),
}


def in_words(condition: str, dataset: DataSet, names: CodeNames | None = None, language: str = "zh") -> str:
    """The condition with the titles of the elements and the names of the codes."""
    tree = _parsed(condition)
    return _Wording(dataset, names, chinese=language == "zh").say(tree)


@lru_cache(2000)
def _parsed(condition: str) -> ast.expr:
    return ast.parse(condition.strip(), mode="eval").body


class _Wording:
    def __init__(self, dataset: DataSet, names: CodeNames | None, chinese: bool) -> None:
        self.dataset = dataset
        self.names = names
        self.chinese = chinese

    def _pick(self, zh: str, en: str) -> str:
        return zh if self.chinese else en

    def say(self, node: ast.expr) -> str:
        """One part of a condition."""
        match node:
            case ast.BoolOp():
                both = isinstance(node.op, ast.And)
                joint = self._pick("，且", " and ") if both else self._pick("，或", " or ")
                parts = self._meaningful(node)
                return joint.join(self._part(v, inside_and=both and len(parts) > 1) for v in parts)
            case ast.UnaryOp(op=ast.Not()):
                return self._pick("并非", "not: ") + self.say(node.operand)
            case ast.Compare():
                return self._compare(node)
            case ast.Call():
                return self._call(node)
        return self.value(node)

    def _part(self, node: ast.expr, inside_and: bool) -> str:
        said = self.say(node)
        mixed = inside_and and isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or)
        return f"（{said}）" if mixed and self.chinese else f"({said})" if mixed else said

    def _meaningful(self, node: ast.BoolOp) -> list[ast.expr]:
        """Without `given(x)` where another part says something of x anyway."""
        if not isinstance(node.op, ast.And):
            return node.values
        others = [v for v in node.values if not _is_given(v)]
        mentioned = {n.id for v in others for n in ast.walk(v) if isinstance(n, ast.Name)}
        kept = [v for v in node.values if v in others or not _names(v) <= mentioned]
        return kept or node.values

    def _compare(self, node: ast.Compare) -> str:
        left = node.left
        parts = []
        for operator, right in zip(node.ops, node.comparators, strict=True):
            parts.append(self._compared(left, operator, right))
            left = right
        return self._pick("，且", " and ").join(parts)

    def _compared(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> str:
        one, other = self.value(left), self.value(right, left)
        if isinstance(operator, ast.Eq | ast.NotEq) and _names(right):
            same = isinstance(operator, ast.Eq)
            return self._pick(
                f"{one}与{other}{'一致' if same else '不一致'}", f"{one} {'equals' if same else 'differs from'} {other}"
            )
        if type(operator) in _ORDER and (codes := self._codes_that(left, operator, right)):
            return self._compared(left, ast.In(), ast.Tuple(codes, ast.Load()))
        words = _COMPARE[type(operator)]
        if type(operator) in _DATES and self._is_date(left) and self._is_date(right):
            words = _DATES[type(operator)]
        space = " " if not self.chinese or other[0].isdigit() else ""
        return f"{one}{self._pick(words[0], ' ' + words[1])}{space}{other}"

    def _codes_that(self, left: ast.expr, operator: ast.cmpop, right: ast.expr) -> list[ast.expr]:
        """`step >= '2'` means the codes from 2 on: name them."""
        if not isinstance(left, ast.Name) or not isinstance(right, ast.Constant) or self.names is None:
            return []
        element = self.dataset.by_id.get(left.id)
        if element is None or element.list is None:
            return []
        holds = _ORDER[type(operator)]
        return [ast.Constant(c) for c in self.names.codes(element.list) if holds(c, str(right.value))]

    def _is_date(self, node: ast.expr) -> bool:
        names = _names(node)
        elements = [self.dataset.by_id.get(n) for n in names]
        return bool(names) and all(e is not None and e.type in ("date", "datetime") for e in elements)

    def _call(self, node: ast.Call) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        first = self.value(node.args[0]) if node.args else ""
        rest = self._choices(node.args[1:], node.args[0] if node.args else None)
        match name:
            case "given":
                return self._pick(f"{first}已填写", f"{first} is given")
            case "empty":
                return self._pick(f"{first}为空", f"{first} is empty")
            case "contains":
                return self._pick(f"{first}包含{rest}", f"{first} contains {rest}")
            case "mentions":
                return self._pick(f"{first}含有{rest}字样", f"{first} mentions {rest}")
            case "starts":
                return self._pick(f"{first}以{rest}开头", f"{first} begins with {rest}")
        return self.value(node)

    def value(self, node: ast.expr, beside: ast.expr | None = None) -> str:
        """An element, a code or a computed value; `beside` is what it is compared with."""
        match node:
            case ast.Name(id=name):
                element = self.dataset.by_id.get(name)
                return self._quoted(self._title(element) if element else name)
            case ast.Constant(value=constant):
                return self._code(str(constant), beside)
            case ast.Tuple() | ast.List():
                return self._choices(node.elts, beside)
            case ast.BinOp():
                words = _ARITHMETIC[type(node.op)]
                right = self.value(node.right)
                return self.value(node.left) + self._pick(words[0].format(right), words[1].format(right))
            case ast.UnaryOp(op=ast.USub()):
                return f"-{self.value(node.operand)}"
            case ast.Call():
                return self._function(node)
        return ast.unparse(node)

    def _function(self, node: ast.Call) -> str:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        arguments = [self.value(a) for a in node.args]
        second = arguments[1].strip('“”"') if len(arguments) > 1 else ""
        say: dict[str, Callable[[], str]] = {
            "number": lambda: arguments[0],
            "text": lambda: arguments[0],
            "day": lambda: self._pick(f"{arguments[0]}的日期", f"the date of {arguments[0]}"),
            "count": lambda: self._pick(f"{arguments[0]}的个数", f"the number of items of {arguments[0]}"),
            "length": lambda: self._pick(f"{arguments[0]}的长度", f"the length of {arguments[0]}"),
            "left": lambda: self._pick(f"{arguments[0]}的前 {second} 位", f"the first {second} of {arguments[0]}"),
            "right": lambda: self._pick(f"{arguments[0]}的后 {second} 位", f"the last {second} of {arguments[0]}"),
        }
        return say[name]() if name in say else ast.unparse(node)

    def _choices(self, nodes: list[ast.expr], beside: ast.expr | None) -> str:
        said = [self.value(n, beside) for n in nodes]
        if len(said) < 2:
            return "".join(said)
        return "、".join(said[:-1]) + "或" + said[-1] if self.chinese else ", ".join(said[:-1]) + " or " + said[-1]

    def _code(self, constant: str, beside: ast.expr | None) -> str:
        element = self.dataset.by_id.get(beside.id) if isinstance(beside, ast.Name) else None
        if element is None or element.list is None or self.names is None:
            return self._quoted(constant) if not constant.lstrip("-").isdigit() or element else constant
        try:
            codes = self.names.codes(element.list)
        except LookupError:
            codes = {}
        name = codes.get(constant, constant)
        return self._quoted(constant if name == constant else f"{constant} {name}")

    def _title(self, element: Element) -> str:
        return element.title if self.chinese else element.title_en or element.title

    def _quoted(self, text: str) -> str:
        return f"“{text}”" if self.chinese else f'"{text}"'


def _names(node: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name)} - _functions(node)


def _functions(node: ast.AST) -> set[str]:
    return {n.func.id for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)}


def _is_given(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "given"

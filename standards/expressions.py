"""The one expression language: a small allow-listed part of Python, checked once and compiled once.

Used by the rules of a data set, by mappings, routes and flows.  All values are text; an element that is
absent is the empty text.  No attributes, no loops, no calls but the functions below, bounded in size: the
safety rules of simpleeval, but compiled, so that a rule runs over a whole column.

    contains(punish_type, '02') and empty(fine)
    cases_closed_execution < filing_date
    left(编号, 6) + '-' + field('序 号')
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, DivisionByZero, InvalidOperation
from difflib import get_close_matches
from types import CodeType

from standards.errors import BadConfiguration

MAX_TEXT = 2000
MAX_NODES = 300
MAX_VALUE = 100_000

Value = str | Decimal | bool | int


class BadExpression(BadConfiguration):
    """The expression is not in the language; says where and what is near."""

    code = "bad-expression"


def given(value: str) -> bool:
    """True when the element has a value."""
    return value != ""


def empty(value: str) -> bool:
    """True when the element has no value."""
    return value == ""


def items(value: str) -> list[str]:
    """The items of a list element."""
    return value.split(";") if value else []


def contains(value: str, *codes: str) -> bool:
    """True when a list element holds one of the codes."""
    if not value:
        return False
    held = value.split(";")
    return any(code in held for code in codes)


def mentions(value: str, *words: str) -> bool:
    """True when the text has one of the words in it."""
    return any(word in value for word in words)


def count(value: str) -> int:
    """How many items a list element holds."""
    return value.count(";") + 1 if value else 0


def number(value: object) -> Decimal:
    """The value as a number; 0 when it is empty or not a number."""
    if isinstance(value, Decimal):
        return value
    try:
        result = Decimal(str(value).replace(",", "") or 0)
    except InvalidOperation:
        return Decimal(0)
    return result if result.is_finite() and -40 < result.adjusted() < 40 else Decimal(0)


def text(value: object) -> str:
    """The value as text; numbers without exponent."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def left(value: str, length: int) -> str:
    """The first characters."""
    return value[: max(0, length)]


def right(value: str, length: int) -> str:
    """The last characters."""
    return value[-length:] if length > 0 else ""


def length(value: str) -> int:
    """How many characters."""
    return len(value)


def starts(value: str, *heads: str) -> bool:
    """True when the text begins with one of these."""
    return value.startswith(heads)


def digits(value: str) -> str:
    """Only the digits of the text."""
    return "".join(c for c in value if c.isdigit())


def replace(value: str, old: str, new: str) -> str:
    """The text with every `old` replaced."""
    return _bounded(value.replace(old, new)) if old else value


def upper(value: str) -> str:
    """Latin letters as capitals."""
    return value.upper()


def day(value: str) -> str:
    """The date part of a date or date-time."""
    return value[:10]


FUNCTIONS: Mapping[str, Callable[..., object]] = {
    f.__name__: f
    for f in (
        *(given, empty, items, contains, mentions, count, number, text),
        *(left, right, length, starts, digits, replace, upper, day),
    )
}


def _bounded(value: str) -> str:
    if len(value) > MAX_VALUE:
        raise ValueError("the result is too long")
    return value


def _add(a: Value, b: Value) -> Value:
    if isinstance(a, str) and isinstance(b, str):
        return _bounded(a + b)
    return number(a) + number(b)


def _sub(a: Value, b: Value) -> Value:
    return number(a) - number(b)


def _mul(a: Value, b: Value) -> Value:
    return number(a) * number(b)


def _div(a: Value, b: Value) -> Value:
    try:
        return number(a) / number(b)
    except (DivisionByZero, InvalidOperation):
        return Decimal(0)


#: What generated code needs in its namespace besides FUNCTIONS.
SUPPORT: Mapping[str, object] = {"_add": _add, "_sub": _sub, "_mul": _mul, "_div": _div, "_number": number}

_ARITHMETIC: dict[type[ast.operator], str] = {ast.Add: "_add", ast.Sub: "_sub", ast.Mult: "_mul", ast.Div: "_div"}
_COMPARISONS = (ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn)


@dataclass(frozen=True, slots=True)
class Expression:
    """A checked expression."""

    text: str
    #: The names it uses, in the order of first use.
    names: tuple[str, ...]
    _tree: ast.Expression
    extra: tuple[str, ...] = ()

    def source(self, variables: Mapping[str, str]) -> str:
        """Python source of the expression with each name replaced by the given variable."""
        return ast.unparse(_Translate(variables).visit(_copy(self._tree.body)))

    def code(self) -> tuple[CodeType, dict[str, str]]:
        """Compiled for one record, and which variable holds which name."""
        variables = {name: f"v{i}" for i, name in enumerate(self.names)}
        return compile(self.source(variables), "<expression>", "eval"), variables

    def function(self, functions: Mapping[str, Callable[..., object]] | None = None) -> Callable[..., object]:
        """The expression as a function of its names, in the order of `names`."""
        variables = {name: f"v{i}" for i, name in enumerate(self.names)}
        source = f"lambda {', '.join(variables.values())}: {self.source(variables)}"
        namespace = {"__builtins__": {}, **SUPPORT, **FUNCTIONS, **(functions or {})}
        result: Callable[..., object] = eval(source, namespace)  # noqa: S307 - built from an allow-listed tree
        return result


def parse(source: str, known: Iterable[str] | None = None, functions: Iterable[str] = ()) -> Expression:
    """Check an expression.

    `known` are the names it may use (None: any); `functions` are allowed besides FUNCTIONS.
    Raises BadExpression with the near name when a name is not known.
    """
    if len(source) > MAX_TEXT:
        raise BadExpression(f"an expression may have {MAX_TEXT} characters, this has {len(source)}")
    try:
        tree = ast.parse(source.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise BadExpression(f"not an expression: {getattr(error, 'msg', error)}", hint=source.strip()[:80]) from error
    extra = tuple(functions)
    check = _Check({*FUNCTIONS, *extra}, None if known is None else set(known))
    check.visit(tree.body)
    return Expression(source.strip(), tuple(check.names), tree, extra)


class _Check(ast.NodeVisitor):
    """Refuses every node that is not in the language and collects the names."""

    def __init__(self, functions: set[str], known: set[str] | None) -> None:
        self.functions = functions
        self.known = known
        self.names: dict[str, None] = {}
        self.nodes = 0

    def visit(self, node: ast.AST) -> None:
        self.nodes += 1
        if self.nodes > MAX_NODES:
            raise BadExpression(f"an expression may have {MAX_NODES} parts")
        super().visit(node)

    def generic_visit(self, node: ast.AST) -> None:
        raise BadExpression(f"{type(node).__name__} is not part of the expression language")

    def _children(self, node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.expr_context | ast.operator | ast.unaryop | ast.cmpop | ast.boolop):
                self.visit(child)

    visit_BoolOp = visit_IfExp = _children

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if not isinstance(node.op, ast.Not | ast.USub):
            self.generic_visit(node.op)
        self.visit(node.operand)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if type(node.op) not in _ARITHMETIC:
            self.generic_visit(node.op)
        self._children(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for operator in node.ops:
            if not isinstance(operator, _COMPARISONS):
                self.generic_visit(operator)
        self._children(node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        for element in node.elts:
            if not isinstance(element, ast.Constant):
                raise BadExpression("a list in an expression may hold constants only")
            self.visit(element)

    visit_List = visit_Tuple  # type: ignore[assignment]

    def visit_Constant(self, node: ast.Constant) -> None:
        if not isinstance(node.value, str | int | float):
            raise BadExpression(f"{node.value!r} is not a text or a number")

    def visit_Name(self, node: ast.Name) -> None:
        self._use(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        if not isinstance(node.func, ast.Name) or node.keywords:
            raise BadExpression("only named functions can be called")
        if node.func.id == "field":
            if len(node.args) != 1 or not isinstance(node.args[0], ast.Constant):
                raise BadExpression("field takes one name in quotes")
            self._use(str(node.args[0].value))
            return
        if node.func.id not in self.functions:
            near = get_close_matches(node.func.id, [*self.functions, "field"], 1)
            raise BadExpression(f"unknown function {node.func.id}", hint=f"did you mean {near[0]}?" if near else None)
        for argument in node.args:
            self.visit(argument)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        self.visit(node.value)
        part = node.slice
        bounds = [part.lower, part.upper, part.step] if isinstance(part, ast.Slice) else [part]
        for bound in bounds:
            value = bound.operand if isinstance(bound, ast.UnaryOp) else bound
            if value is not None and not (isinstance(value, ast.Constant) and isinstance(value.value, int)):
                raise BadExpression("only constant positions can be cut out")

    def _use(self, name: str) -> None:
        if self.known is not None and name not in self.known:
            near = get_close_matches(name, self.known, 1)
            raise BadExpression(f"unknown name {name}", hint=f"did you mean {near[0]}?" if near else None)
        self.names.setdefault(name)


class _Translate(ast.NodeTransformer):
    """Names become variables, arithmetic becomes bounded functions, positions become slices that cannot fail."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.Name(self.variables[node.id], ast.Load())

    def visit_Call(self, node: ast.Call) -> ast.AST:
        assert isinstance(node.func, ast.Name)
        if node.func.id == "field":
            argument = node.args[0]
            assert isinstance(argument, ast.Constant)
            return ast.Name(self.variables[str(argument.value)], ast.Load())
        return ast.Call(node.func, [self.visit(a) for a in node.args], [])

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        function = ast.Name(_ARITHMETIC[type(node.op)], ast.Load())
        return ast.Call(function, [self.visit(node.left), self.visit(node.right)], [])

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.USub) and not isinstance(operand, ast.Constant):
            return ast.Call(ast.Name("_sub", ast.Load()), [ast.Constant(0), operand], [])
        return ast.UnaryOp(node.op, operand)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        part = node.slice
        if not isinstance(part, ast.Slice):  # one character: an empty text instead of an error when it is not there
            upper = _position_after(part)
            part = ast.Slice(lower=part, upper=upper)
        return ast.Subscript(self.visit(node.value), part, ast.Load())

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, float):
            return ast.Call(ast.Name("_number", ast.Load()), [ast.Constant(str(node.value))], [])
        return node


def _position_after(position: ast.expr) -> ast.expr | None:
    value = ast.literal_eval(position)
    return None if value == -1 else ast.Constant(value + 1)


def _copy(node: ast.expr) -> ast.expr:
    return ast.parse(ast.unparse(node), mode="eval").body

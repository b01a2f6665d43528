"""Types that msgspec decodes are looked up when a module is loaded, not when two threads need them first.

msgspec 0.22 fills in what it knows of a type at the first use; a second thread that comes meanwhile reads what is not
there yet, and the process dies of a segmentation fault.  A decoder made while a module is loaded is made by one thread.
"""

from __future__ import annotations

import ast

from tests.house.repository import ROOT

ROOMS = ("adapters", "hub", "mappings", "standards", "monitor", "demo")
#: Of these nothing is looked up.
PLAIN = {"dict", "list", "str", "int", "float", "bool", "bytes", "object", "Any"}


def names(node: ast.expr) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def late(text: str) -> list[str]:
    """Calls that decode into a type of ours, or make a decoder for one, inside a function."""
    found = []
    for function in ast.walk(ast.parse(text)):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not ast.unparse(call.func).startswith("msgspec."):
                continue
            word = ast.unparse(call.func).rpartition(".")[2]
            said = [k.value for k in call.keywords if k.arg == "type"]
            said += call.args[:1] if word == "Decoder" else call.args[1:2] if word == "convert" else []
            if word in ("decode", "Decoder", "convert") and any(names(one) - PLAIN for one in said):
                found.append(f"line {call.lineno}: {ast.unparse(call)}")
    return found


def test_no_type_is_looked_up_by_whichever_thread_comes_first() -> None:
    files = [path for room in ROOMS for path in (ROOT / room).rglob("*.py")]
    found = {str(path.relative_to(ROOT)): late(path.read_text("utf-8")) for path in files}

    assert not {path: calls for path, calls in found.items() if calls}


def test_the_look_sees_a_type_of_ours_and_passes_over_plain_ones() -> None:
    text = """
def f(b):
    msgspec.json.decode(b, type=dict[str, str])
    return msgspec.json.decode(b, type=list[Said])
_SAID = msgspec.json.Decoder(Said)
"""
    assert late(text) == ["line 4: msgspec.json.decode(b, type=list[Said])"]

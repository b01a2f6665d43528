"""XML from outside is parsed in one place only, by one safe reader: standards/xml.py."""

import ast
from pathlib import Path

import pytest

from tests.house.repository import ROOMS, files, name_of

HOME = "standards/xml.py"
#: lxml's ways to parse; building and validating are allowed everywhere.
PARSING = {
    *("parse", "fromstring", "fromstringlist", "XML", "XMLID", "HTML", "iterparse", "parseid"),
    *("XMLParser", "XMLPullParser", "HTMLParser", "HTMLPullParser", "ETCompatXMLParser"),
}
#: Parsers that nobody may use: they know no limits, or not ours.
FORBIDDEN = ("xml.etree", "xml.dom", "xml.sax", "xml.parsers", "lxml.html", "lxml.objectify", "bs4", "xmltodict")
#: Escapes text on its way out, and parses nothing.
WRITING = "xml.sax.saxutils"


def _is_forbidden(module: str) -> bool:
    return module.startswith(FORBIDDEN) and not module.startswith(WRITING)


def parsing_in(source: str) -> list[str]:
    """Every parse of XML in a module: `line: what`."""
    found: list[str] = []
    modules: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [f"{node.lineno}: import {one.name}" for one in names if _is_forbidden(one.name)]
                modules |= {one.asname or one.name for one in names if one.name.startswith("lxml")}
            case ast.ImportFrom(module=module, names=names) if module:
                whole = [f"{module}.{one.name}" for one in names]
                found += [f"{node.lineno}: from {name}" for name in whole if _is_forbidden(name)]
                if module == "lxml":
                    modules |= {one.asname or one.name for one in names}
                if module == "lxml.etree":
                    found += [f"{node.lineno}: {one.name}" for one in names if one.name in PARSING]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in PARSING and ast.unparse(node.value) in modules:
            found.append(f"{node.lineno}: {ast.unparse(node)}")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "from lxml import etree\netree.fromstring(b'')",
        "from lxml import etree as ET\nET.XMLParser()",
        "import lxml.etree\nlxml.etree.parse('x')",
        "from lxml.etree import iterparse",
        "import xml.etree.ElementTree as ET",
        "from xml.dom import minidom",
    ],
)
def test_each_way_to_parse_is_noticed(source: str) -> None:
    assert parsing_in(source)


@pytest.mark.parametrize(
    "source",
    [
        "from lxml import etree\netree.SubElement(etree.Element('a'), 'b')",
        "import json\njson.parse",
        "from xml.sax.saxutils import escape",
        "dates.parse('x')",
    ],
)
def test_building_is_not_parsing(source: str) -> None:
    assert not parsing_in(source)


def modules_outside() -> list[Path]:
    return [path for path in files(*(f"{room}/*.py" for room in ROOMS)) if name_of(path) != HOME]


def test_foreign_xml_is_parsed_in_one_place_only() -> None:
    found = {name_of(path): parsing for path in modules_outside() if (parsing := parsing_in(path.read_text()))}

    assert not found, f"parse XML through {HOME}: {found}"

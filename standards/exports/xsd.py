"""XML Schema (1.0) of a document of records.

    <records xmlns="urn:supervision-exchange-hub:check_action:1">
      <record> … one child for each element, in any order … </record>
      <removal> … the natural key … </removal>
    </records>

Element ids are tag names.  Conditions between elements are not part of XSD 1.0; the checker judges them.
"""

from __future__ import annotations

from lxml import etree

from standards.exports.patterns import form
from standards.model import DataSet, Element, FilledBy, Kind
from standards.registry import Standard

XS = "http://www.w3.org/2001/XMLSchema"


def namespace(dataset: DataSet) -> str:
    """The namespace of the data set's documents; it changes with the version."""
    return f"urn:supervision-exchange-hub:{dataset.id}:{dataset.version}"


def export(dataset: DataSet, standard: Standard) -> bytes:
    """The schema; the root element is `records`."""
    target = namespace(dataset)
    root = etree.Element(_xs("schema"), nsmap={"xs": XS, "d": target})
    root.set("targetNamespace", target)
    root.set("elementFormDefault", "qualified")
    root.set("version", dataset.version)
    _documented(root, f"{dataset.title}。{dataset.purpose}" if dataset.purpose else dataset.title, dataset.title_en)
    _documents(root)
    _kind(root, "content", standard.elements(dataset), dataset, standard)
    keys = [dataset.by_id[name] for name in dataset.natural_key]
    operation = [e for e in standard.common if e.id == "cd_operation"]
    _kind(root, "key", [*operation, *keys], dataset, standard)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _documents(root: etree._Element) -> None:
    """The element `records` with any number of records and removals."""
    kind = _sub(_sub(root, "element", name="records"), "complexType")
    choice = _sub(kind, "choice", minOccurs="0", maxOccurs="unbounded")
    _sub(choice, "element", name="record", type="d:content")
    _sub(choice, "element", name="removal", type="d:key")


def _kind(
    root: etree._Element, name: str, elements: list[Element] | tuple[Element, ...], dataset: DataSet, standard: Standard
) -> None:
    """A complex type with each element at most once, in any order."""
    everything = _sub(_sub(root, "complexType", name=name), "all")
    for element in elements:
        own = element.id in dataset.by_id
        must = own and element.need == "must" and element.filled_by is FilledBy.SENDER
        declared = _sub(everything, "element", name=element.id, minOccurs="1" if must else "0")
        _documented(declared, element.title, element.title_en)
        _restricted(declared, element, standard, must)


def _restricted(declared: etree._Element, element: Element, standard: Standard, must: bool) -> None:
    """The value: text with facets; an optional element may also be empty."""
    facets = _sub(_sub(declared, "simpleType"), "restriction", base="xs:string")
    if element.type is Kind.CODE:
        for code in standard.codes(element.list or ""):
            _sub(facets, "enumeration", value=code)
        if not must:
            _sub(facets, "enumeration", value="")
        return
    if must:
        _sub(facets, "minLength", value="1")
    if element.max is not None and element.type not in (Kind.DECIMAL, Kind.INT):
        _sub(facets, "maxLength", value=str(element.max))
    pattern = form(element, standard)
    if pattern is not None:
        _sub(facets, "pattern", value=pattern if must else f"({pattern})?")


def _documented(parent: etree._Element, chinese: str, english: str) -> None:
    annotation = etree.Element(_xs("annotation"))
    parent.insert(0, annotation)
    for language, text in (("zh", chinese), ("en", english)):
        if text:
            note = _sub(annotation, "documentation")
            note.set("{http://www.w3.org/XML/1998/namespace}lang", language)
            note.text = text


def _sub(parent: etree._Element, tag: str, **attributes: str) -> etree._Element:
    return etree.SubElement(parent, _xs(tag), attributes)


def _xs(tag: str) -> str:
    return f"{{{XS}}}{tag}"

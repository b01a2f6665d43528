"""The standard looked through: data sets, elements and code lists whose name, id or text holds the words asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from standards.registry import Standard

#: Hits of each kind that are shown.
MOST = 60


def found(standard: Standard, words: str, language: str) -> dict[str, Any]:
    """What holds every word; without words every data set, and no elements.  Pure."""
    wanted = words.casefold().split()
    english = language == "en"

    def fits(*texts: str) -> bool:
        whole = " ".join(texts).casefold()
        return all(word in whole for word in wanted)

    datasets = [
        {
            "id": one.id,
            "title": (english and one.title_en) or one.title,
            "library": one.library or "",
            "version": one.version,
            "elements": len(one.elements),
            "purpose": one.purpose,
        }
        for one in standard
        if fits(one.id, one.title, one.title_en, one.purpose, one.library or "")
    ]
    elements = list(_elements(standard, fits, english)) if wanted else []
    lists = [
        {"id": one.id, "title": one.title, "codes": len(one.codes), "code": ""}
        for one in standard.codelists.values()
        if fits(one.id, one.title)
    ]
    codes = list(_codes(standard, wanted)) if wanted else []
    return {
        "datasets": datasets,
        "elements": elements[:MOST],
        "more_elements": len(elements) > MOST,
        "lists": lists,
        "codes": codes[:MOST],
        "more_codes": len(codes) > MOST,
    }


def _elements(standard: Standard, fits: Any, english: bool) -> Iterator[dict[str, str]]:
    for dataset in standard:
        for one in dataset.elements:
            if fits(one.id, one.title, one.title_en, one.note):
                yield {
                    "id": one.id,
                    "title": (english and one.title_en) or one.title,
                    "dataset": dataset.id,
                    "dataset_title": (english and dataset.title_en) or dataset.title,
                    "list": one.list or "",
                }


def _codes(standard: Standard, wanted: list[str]) -> Iterator[dict[str, str]]:
    for held in standard.codelists.values():
        for one in held.codes:
            if all(word in f"{one.code} {one.name} {one.name_en}".casefold() for word in wanted):
                yield {"list": held.id, "title": held.title, "code": one.code, "name": one.name}

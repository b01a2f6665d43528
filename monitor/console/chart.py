"""Where the boxes and lines of the map of flows stand.  Pure: lines in, coordinates out; a template draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

WIDTH = 1300
_BOX, _ROW, _GAP, _HEAD = 300, 34, 8, 22
_HUB = 200
#: Boxes of one side; what is more is put into one.
_MOST = 12
#: Characters of a title that fit into a box: a Chinese one is two wide.
_FITS = 32
_ORDER = ("bad", "warn", "off", "good", "quiet")
_MARKS = {"bad": "✕", "warn": "!", "off": "‖", "good": "✓", "quiet": "–"}
_PLACES = ("above", "beside", "below")


def mark(sign: str) -> str:
    """What stands beside a colour, so that it is never told by colour alone."""
    return _MARKS[sign]


def short(title: str, fits: int = _FITS) -> str:
    """As much of a title as fits."""
    width, kept = 0, ""
    for letter in title:
        width += 2 if ord(letter) > 0x2E7F else 1
        if width > fits:
            return kept + "…"
        kept += letter
    return title


def chosen(lines: Sequence[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], list[Mapping[str, Any]]]:
    """Those that get a box of their own (trouble and much traffic first), and the others."""
    if len(lines) <= _MOST:
        return list(lines), []
    ranked = sorted(lines, key=lambda one: (_ORDER.index(one["sign"]) > 1, -one["today"]))
    kept = {one["name"] for one in ranked[: _MOST - 1]}
    return [one for one in lines if one["name"] in kept], [one for one in lines if one["name"] not in kept]


def drawn(lines: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The whole map: boxes with their lines to the hub in the middle, headings, and how high it is."""
    sides = [_side([one for one in lines if one["way"] == way], way) for way in ("in", "out")]
    height = max([side["height"] for side in sides] + [120])
    hub_height = min(height - 20, 260)
    top = (height - hub_height) / 2
    boxes = []
    for side in sides:
        shift = (height - side["height"]) / 2
        count = len(side["boxes"])
        for heading in side["headings"]:
            heading["y"] += shift
        for number, box in enumerate(side["boxes"]):
            box["y"] += shift
            middle = box["y"] + _ROW / 2
            end = top + hub_height * (number + 1) / (count + 1)
            left, right = _BOX, (WIDTH - _HUB) / 2
            if box["way"] == "in":
                box["path"] = _curve(left, middle, right, end)
                box["label"] = (left + 10, middle - 6)
            else:
                box["path"] = _curve(WIDTH - right, end, WIDTH - left, middle)
                box["label"] = (WIDTH - left - 10, middle - 6)
            boxes.append(box)
    return {
        "width": WIDTH,
        "height": round(height),
        "boxes": boxes,
        "headings": [one for side in sides for one in side["headings"]],
        "hub": {"x": (WIDTH - _HUB) / 2, "y": top, "width": _HUB, "height": hub_height},
        "box": (_BOX, _ROW),
    }


def _side(lines: Sequence[Mapping[str, Any]], way: str) -> dict[str, Any]:
    kept, others = chosen(lines)
    x = 0 if way == "in" else WIDTH - _BOX
    y = 0.0
    boxes: list[dict[str, Any]] = []
    headings: list[dict[str, Any]] = []
    for where in _PLACES:
        here = [one for one in kept if one["where"] == where]
        if here:
            headings.append({"key": f"map_{way}_{where}", "x": x, "y": y + 15})
            y += _HEAD
        for one in here:
            boxes.append({**one, "x": x, "y": y, "short": short(one["title"]), "mark": mark(one["sign"]), "count": 1})
            y += _ROW + _GAP
    if others:
        boxes.append({**_rest(others, way), "x": x, "y": y})
        y += _ROW + _GAP
    return {"boxes": boxes, "headings": headings, "height": max(y - _GAP, 0)}


def _rest(others: Sequence[Mapping[str, Any]], way: str) -> dict[str, Any]:
    """One box for all that have none of their own; it stands as the worst of them."""
    worst = min(others, key=lambda one: _ORDER.index(one["sign"]))
    return {
        "name": "",
        "title": "",
        "short": "",
        "way": way,
        "where": worst["where"],
        "link": f"flows#{way}",
        "today": sum(one["today"] for one in others),
        "usual": None,
        "against": "unknown",
        "sign": worst["sign"],
        "mark": mark(worst["sign"]),
        "says_zh": worst["says_zh"],
        "says_en": worst["says_en"],
        "waiting": sum(one["waiting"] for one in others),
        "count": len(others),
    }


def _curve(x1: float, y1: float, x2: float, y2: float) -> str:
    bend = (x1 + x2) / 2
    return f"M{x1:.0f} {y1:.0f}C{bend:.0f} {y1:.0f} {bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}"

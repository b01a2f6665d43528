"""A receipt as text: what a clerk reads, beside the file or in a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from standards.places import in_words
from standards.states import word

#: A finding that so many records draw in the same words is told once, with their places.
_SAME = 5
#: So many places are named with it.
_PLACES = 8

#: What makes two findings the same to a reader.
_Words = tuple[str, ...]


def in_text(document: Mapping[str, Any], language: str = "zh") -> str:
    """A receipt as plain text."""
    return "\n".join(_lines_zh(document) if language == "zh" else _lines_en(document)) + "\n"


def _lines_zh(d: Mapping[str, Any]) -> Iterable[str]:
    counts = d["counts"]
    yield f"报送回执 {d['receipt_no']}（第 {d['version']} 版）  状态：{d['state_zh']}"
    name = d["file"]["name"] or "（接口报送）"
    yield f"文件：{name}  数据集：{d['dataset_title'] or d['dataset']}  收到：{d['received_at']}"
    yield (
        f"读取 {counts['read']} 条：通过 {counts['accepted']}，退回 {counts['rejected']}，"
        f"挂起 {counts['held']}，重复 {counts['duplicate']}"
    )
    if d["problem"]:
        yield f"无法读取：{d['problem']['what_zh']}" + (
            f"。{d['problem']['hint_zh']}" if d["problem"]["hint_zh"] else ""
        )
    for one in d["deliveries"]:
        states = "，".join(f"{word(s)} {n}" for s, n in one["states"].items())
        yield f"投递 {one['title'] or one['destination']}：{states or '无'}"
    for note in d["notes"]:
        yield f"提示：{note['text']}。{note['hint']}。"
    yield from records_in_text(d["records"])
    if "next" in d:
        yield f"（其余问题请查询回执，从第 {d['next']} 条之后）"


def records_in_text(records: Sequence[Mapping[str, Any]], language: str = "zh") -> Iterable[str]:
    """Record by record; before them, once, what many draw alike (an empty column fills pages otherwise)."""
    alike: dict[_Words, tuple[Mapping[str, Any], list[str]]] = {}
    for one in records:
        for said in one["findings"]:
            alike.setdefault(_words(said), (said, []))[1].append(_place(one, language))
    shared = {words: found for words, found in alike.items() if len(found[1]) >= _SAME}
    if shared:
        yield "以下问题多条记录都有，只列一次：" if language == "zh" else "Many records have these, told once:"
    for said, places in shared.values():
        yield _line(said, language, of_many=True) + _where(places, language)
    left = 0
    for one in records:
        own = [said for said in one["findings"] if _words(said) not in shared]
        if not own:
            left += 1
            continue
        verdict = one.get("verdict_zh", "") if language == "zh" else one["verdict"]
        more = len(one["findings"]) - len(own)
        also = "" if not more else f"（另有上列问题 {more} 个）" if language == "zh" else f" (and {more} of the above)"
        yield f"{'●' if language == 'zh' else '*'} {_place(one, language)}  {verdict}{also}".rstrip()
        for said in own:
            yield _line(said, language)
    if left:
        yield (
            f"● 还有 {left} 条，问题均已列在上面" if language == "zh" else f"* {left} more, with nothing but the above"
        )


def _words(said: Mapping[str, Any]) -> _Words:
    told = (said["code"], said["element"], said["field"], said["value"], said.get("level", ""), said["hint"])
    return tuple(str(one) for one in told)


def _place(one: Mapping[str, Any], language: str) -> str:
    return str(one["place_zh"]) if language == "zh" else in_words(one["place"], "en")


def _line(said: Mapping[str, Any], language: str, *, of_many: bool = False) -> str:
    """One finding; of many records without the place of the first."""
    chinese = language == "zh"
    what = str(said["text"] if chinese else said["text_en"])
    place = in_words(said["place"], language) if of_many and said["place"] else ""
    if place and what.casefold().startswith(place.casefold()):
        what = what[len(place) :].lstrip("，,：: ")
    if chinese:
        return f"    [{said['code']}] {_who_zh(said)}{what}。{said['hint']}。"
    return f"    [{said['code']}] {what}. {said['hint_en']}."


def _where(places: Sequence[str], language: str) -> str:
    few = places[:_PLACES]
    if language == "zh":
        return f"（{len(places)} 条：{'、'.join(few)}{' 等' if len(places) > len(few) else ''}）"
    return f" ({len(places)} records: {', '.join(few)}{' …' if len(places) > len(few) else ''})"


def _who_zh(said: Mapping[str, Any]) -> str:
    levels = {"district": "区级", "city": "市级", "province": "省级", "nation": "国家级"}
    return f"{levels.get(said['level'], said['level'])}平台：" if said.get("level") else ""


def _lines_en(d: Mapping[str, Any]) -> Iterable[str]:
    counts = d["counts"]
    yield f"Receipt {d['receipt_no']} (version {d['version']})  state: {word(d['state'], 'en')}"
    yield f"File: {d['file']['name'] or '(interface)'}  data set: {d['dataset']}  received: {d['received_at']}"
    yield (
        f"Read {counts['read']}: accepted {counts['accepted']}, rejected {counts['rejected']}, "
        f"held {counts['held']}, duplicate {counts['duplicate']}"
    )
    if d["problem"]:
        yield f"Unreadable: {d['problem']['what']}" + (f". {d['problem']['hint']}" if d["problem"]["hint"] else "")
    for one in d["deliveries"]:
        states = ", ".join(f"{word(s, 'en')} {n}" for s, n in one["states"].items())
        yield f"To {one['destination']}: {states or 'nothing'}"
    for note in d["notes"]:
        yield f"Note: {note['text_en']}. {note['hint_en']}."
    yield from records_in_text(d["records"], "en")
    if "next" in d:
        yield f"(more behind row {d['next']})"

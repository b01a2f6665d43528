"""The differences of two versions of a data set, in words: what a sender has to change, and what only became easier."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from standards.model import DataSet, Element, FilledBy, Kind, Reference, Rule, Severity
from standards.wording import CodeNames, in_words

Codes = Mapping[str, Mapping[str, str]]


class Effect(StrEnum):
    """What a difference means for somebody who sends the old version."""

    BREAKS = "breaks"  # records that were right may be wrong now
    EASES = "eases"  # records that were right stay right
    TELLS = "tells"  # words only


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference."""

    effect: Effect
    #: Element or rule, or '' for the data set as a whole.
    subject: str
    zh: str
    en: str


def differences(
    old: DataSet, new: DataSet, names: CodeNames | None = None, old_names: CodeNames | None = None
) -> list[Difference]:
    """Everything that differs, in the order: the data set, elements, rules.

    `old_names` holds the code lists as they were with the old version; without it they are not compared.
    """
    compare = _Compare(old, new, names, old_names)
    return [*compare.whole(), *compare.elements(), *compare.rules()]


class _Compare:
    def __init__(self, old: DataSet, new: DataSet, names: CodeNames | None, old_names: CodeNames | None) -> None:
        self.old = old
        self.new = new
        self.names = names
        self.old_names = old_names

    # --- the data set

    def whole(self) -> Iterator[Difference]:
        """Title, key, table, deadline."""
        old, new = self.old, self.new
        if old.title != new.title:
            yield _told("", f"名称由“{old.title}”改为“{new.title}”", f'title "{old.title}" is now "{new.title}"')
        if old.natural_key != new.natural_key:
            was, now = "、".join(old.natural_key), "、".join(new.natural_key)
            yield _breaks("", f"自然主键由 {was} 改为 {now}", f"the key {was} is now {now}")
        if old.table != new.table:
            yield _breaks("", f"前置库表由 {old.table} 改为 {new.table}", f"table {old.table} is now {new.table}")
        if old.deadline.working_days != new.deadline.working_days:
            was, now = _days(old.deadline.working_days), _days(new.deadline.working_days)
            shorter = (new.deadline.working_days or 0) < (old.deadline.working_days or 10**6)
            effect = Effect.BREAKS if new.deadline.working_days is not None and shorter else Effect.EASES
            en = f"deadline {old.deadline.working_days} working days is now {new.deadline.working_days}"
            yield Difference(effect, "", f"报送时限由{was}改为{now}", en)

    # --- elements

    def elements(self) -> Iterator[Difference]:
        """Elements gone, new, and changed."""
        for element in self.old.elements:
            if element.id not in self.new.by_id:
                yield _breaks(
                    element.id, f"删除数据项“{element.title}”（{element.id}）", f'element "{element.title_en}" is gone'
                )
        for element in self.new.elements:
            was = self.old.by_id.get(element.id)
            if was is None:
                yield self._added(element)
            else:
                yield from self._changed(was, element)

    def _added(self, element: Element) -> Difference:
        demanded = element.filled_by is FilledBy.SENDER and element.need != "optional"
        need_zh, need_en = self._need(element, self.new)
        return Difference(
            Effect.BREAKS if demanded else Effect.EASES,
            element.id,
            f"新增数据项“{element.title}”（{element.id}），{need_zh}",
            f'new element "{element.title_en}" ({element.id}), {need_en}',
        )

    def _changed(self, old: Element, new: Element) -> Iterator[Difference]:
        name, zh, en = new.id, f"“{new.title}”", f'"{new.title_en}"'
        if old.title != new.title:
            yield _told(name, f"“{old.title}”改名为{zh}", f'"{old.title_en}" is now called {en}')
        if (old.type, old.of) != (new.type, new.of):
            effect = Effect.EASES if new.type in (Kind.TEXT, Kind.LONGTEXT) else Effect.BREAKS
            was, now = _kind(old), _kind(new)
            yield Difference(effect, name, f"{zh}的类型由 {was} 改为 {now}", f"{en}: type {was} is now {now}")
        yield from self._size(old, new, zh, en)
        if old.need != new.need:
            yield self._need_changed(old, new, zh, en)
        if old.filled_by is not new.filled_by:
            effect = Effect.BREAKS if new.filled_by is FilledBy.SENDER and new.need != "optional" else Effect.EASES
            giver, new_giver = _FILLED_BY[old.filled_by], _FILLED_BY[new.filled_by]
            yield Difference(
                effect,
                name,
                f"{zh}由{giver[0]}填写改为由{new_giver[0]}填写",
                f"{en} was filled by the {giver[1]} and is now filled by the {new_giver[1]}",
            )
        if old.list != new.list:
            yield _breaks(
                name,
                f"{zh}的码表由 {old.list or '无'} 改为 {new.list or '无'}",
                f"{en}: code list {old.list} is now {new.list}",
            )
        else:
            yield from self._codes(new, zh, en)
        if old.pattern != new.pattern:
            said = new.pattern_says or "不限"
            effect = Effect.EASES if new.pattern is None else Effect.BREAKS
            yield Difference(
                effect, name, f"{zh}的格式改为：{said}", f"{en}: the form is now {new.pattern_says_en or 'free'}"
            )
        if not old.not_future and new.not_future:
            yield _breaks(name, f"{zh}不得晚于当前时间", f"{en} must not lie in the future")
        if (new.min_items or 1) != (old.min_items or 1):
            effect = Effect.BREAKS if (new.min_items or 1) > (old.min_items or 1) else Effect.EASES
            least = new.min_items or 1
            yield Difference(effect, name, f"{zh}至少 {least} 项", f"{en} needs at least {least} items")
        if old.personal != new.personal:
            words = ("标为个人信息", "personal") if new.personal else ("不再标为个人信息", "no longer personal")
            yield _told(name, f"{zh}{words[0]}", f"{en} is {words[1]}")
        if old.refers != new.refers:
            yield self._refers(new, zh, en, old.refers)

    def _size(self, old: Element, new: Element, zh: str, en: str) -> Iterator[Difference]:
        for word_zh, word_en, was, now in (
            ("长度", "length", old.max, new.max),
            ("小数位数", "decimal places", old.scale, new.scale),
        ):
            if was == now:
                continue
            narrower = now is not None and (was is None or now < was)
            turned_zh, turned_en = ("收窄", "narrowed") if narrower else ("放宽", "widened")
            yield Difference(
                Effect.BREAKS if narrower else Effect.EASES,
                new.id,
                f"{zh}的{word_zh}由 {_size(was)} {turned_zh}为 {_size(now)}",
                f"{en}: {word_en} {turned_en} from {_size_en(was)} to {_size_en(now)}",
            )

    def _need_changed(self, old: Element, new: Element, zh: str, en: str) -> Difference:
        was_zh, was_en = self._need(old, self.old)
        now_zh, now_en = self._need(new, self.new)
        eased = new.need == "optional" or old.need == "must"
        demanded = new.filled_by is FilledBy.SENDER
        return Difference(
            Effect.EASES if eased or not demanded else Effect.BREAKS,
            new.id,
            f"{zh}由{was_zh}改为{now_zh}",
            f"{en} was {was_en} and is now {now_en}",
        )

    def _need(self, element: Element, dataset: DataSet) -> tuple[str, str]:
        if element.need == "must":
            return "必填", "required"
        if element.need == "optional":
            return "选填", "optional"
        zh, en = "必填", "required"
        if element.group is not None:
            zh, en = f"“{element.group}”组至少填一项", f"one of the group {element.group}"
        if element.when is None:
            return zh, en
        said = in_words(element.when, dataset, self.names)
        said_en = in_words(element.when, dataset, self.names, "en")
        return f"当{said}时{zh}", f"{en} when {said_en}"

    def _codes(self, element: Element, zh: str, en: str) -> Iterator[Difference]:
        if element.list is None or self.names is None or self.old_names is None:
            return
        before, after = self.old_names.codes(element.list), self.names.codes(element.list)
        if gone := [c for c in before if c not in after]:
            yield _breaks(
                element.id, f"{zh}删除代码 {_listed(gone, before)}", f"{en}: codes gone: {_listed(gone, before)}"
            )
        if added := [c for c in after if c not in before]:
            yield Difference(
                Effect.EASES,
                element.id,
                f"{zh}新增代码 {_listed(added, after)}",
                f"{en}: codes added: {_listed(added, after)}",
            )
        for code in before:
            if code in after and before[code] != after[code]:
                yield _told(
                    element.id,
                    f"{zh}的代码 {code} 由“{before[code]}”改为“{after[code]}”",
                    f'{en}: code {code} "{before[code]}" is now "{after[code]}"',
                )

    @staticmethod
    def _refers(new: Element, zh: str, en: str, old: Reference | None) -> Difference:
        if new.refers is None:
            return Difference(Effect.EASES, new.id, f"{zh}不再引用其他记录", f"{en} no longer names another record")
        if old is not None and (old.dataset, old.element, old.where) == (
            new.refers.dataset,
            new.refers.element,
            new.refers.where,
        ):
            return _told(new.id, f"{zh}引用的细节有变", f"{en}: details of its reference changed")
        target = f"{new.refers.dataset}.{new.refers.element}"
        return _breaks(new.id, f"{zh}须引用已有的 {target}", f"{en} must name a known {target}")

    # --- rules

    def rules(self) -> Iterator[Difference]:
        """Rules gone, new, and changed."""
        before = {rule.id: rule for rule in self.old.rules}
        after = {rule.id: rule for rule in self.new.rules}
        for name, rule in before.items():
            if name not in after:
                yield Difference(Effect.EASES, name, f"取消规则：{rule.says}", f"rule gone: {rule.says_en}")
        for name, rule in after.items():
            if name not in before:
                yield _rule(rule, f"新增规则：{rule.says}", f"new rule: {rule.says_en}")
                continue
            was = before[name]
            if was.severity is not rule.severity:
                zh = f"规则“{rule.says}”的后果由{_SEVERITIES[was.severity]}改为{_SEVERITIES[rule.severity]}"
                effect = Effect.BREAKS if rule.severity is Severity.ERROR else Effect.EASES
                yield Difference(
                    effect, name, zh, f'rule "{rule.says_en}": {was.severity.value} is now {rule.severity.value}'
                )
            if was.when != rule.when:
                broken = in_words(rule.when, self.new, self.names)
                broken_en = in_words(rule.when, self.new, self.names, "en")
                yield _rule(
                    rule,
                    f"规则“{rule.says}”的条件改为：{broken}时违反",
                    f'rule "{rule.says_en}" is now broken when {broken_en}',
                )


_SEVERITIES = {Severity.ERROR: "退回", Severity.HOLD: "挂起", Severity.WARNING: "提示"}
_FILLED_BY = {
    FilledBy.SENDER: ("报送单位", "sender"),
    FilledBy.HUB: ("枢纽", "hub"),
    FilledBy.RECEIVER: ("接收方", "receiver"),
}


def _told(subject: str, zh: str, en: str) -> Difference:
    return Difference(Effect.TELLS, subject, zh, en)


def _breaks(subject: str, zh: str, en: str) -> Difference:
    return Difference(Effect.BREAKS, subject, zh, en)


def _rule(rule: Rule, zh: str, en: str) -> Difference:
    effect = Effect.TELLS if rule.severity is Severity.WARNING else Effect.BREAKS
    return Difference(effect, rule.id, zh, en)


def _kind(element: Element) -> str:
    return f"{element.type.value} of {element.of.value}" if element.of else element.type.value


def _size(size: int | None) -> str:
    return "不限" if size is None else str(size)


def _size_en(size: int | None) -> str:
    return "no limit" if size is None else str(size)


def _days(days: int | None) -> str:
    return "无固定时限" if days is None else f" {days} 个工作日"


def _listed(codes: list[str], names: Mapping[str, str]) -> str:
    return "、".join(c if names[c] == c else f"{c} {names[c]}" for c in codes)

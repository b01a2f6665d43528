"""The Chinese handbook page of a data set, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from standards.exports.asked import kind_in_words, need_in_words, size_in_words
from standards.model import DataSet, Deadline, Direction, Element, FilledBy, Kind, Mark, Severity
from standards.registry import Standard
from standards.samples import Samples
from standards.wording import in_words

_DIRECTIONS = {Direction.UP: "上行", Direction.DOWN: "下行", Direction.ACROSS: "横向"}
_MARKS = {Mark.FOUND: "有来源", Mark.MEMORY: "据记忆", Mark.OWN: "本规范"}
_FILLED_BY = {FilledBy.SENDER: "报送单位", FilledBy.HUB: "枢纽", FilledBy.RECEIVER: "接收方"}
_SEVERITIES = {Severity.ERROR: "退回", Severity.HOLD: "挂起", Severity.WARNING: "提示"}
#: Longer code lists are named, not printed.
_PRINTED = 40


def export(dataset: DataSet, standard: Standard) -> bytes:
    """The page: facts, elements, rules, references, code lists, a sample."""
    lines = [
        f"# {dataset.title}",
        "",
        *_facts(dataset),
        *_elements(dataset, standard),
        *_rules(dataset, standard),
        *_references(dataset, standard),
        *_codelists(dataset, standard),
        *_sample(dataset, standard),
    ]
    return ("\n".join(lines).rstrip("\n") + "\n").encode()


def common_page(standard: Standard) -> bytes:
    """The page of the common elements, which every data set carries."""
    lines = [
        "# 公共数据项",
        "",
        "随每个数据集的每条记录携带，除注明外由枢纽填写。",
        "",
        *_table_head("数据项", "中文名称", "格式", "长度", "填写者", "码表", "说明", "依据"),
    ]
    for element in standard.common:
        cells = (
            f"`{element.id}`",
            element.title,
            kind_in_words(element),
            size_in_words(element),
            _filled_by(element),
            f"`{element.list}`" if element.list else "",
            element.note,
            f"{_MARKS[element.mark]}：{element.source}",
        )
        lines.append("| " + " | ".join(_cell(c) for c in cells) + " |")
    return ("\n".join(lines) + "\n").encode()


def _filled_by(element: Element) -> str:
    return _FILLED_BY[element.filled_by] + ("（报送单位可填）" if element.sender_may else "")


def _facts(dataset: DataSet) -> Iterator[str]:
    if dataset.purpose:
        yield f"{dataset.purpose}。"
        yield ""
    yield from _table_head("项", "内容")
    own_table = "（本规范自定）" if dataset.table_mark is Mark.OWN else ""
    facts = (
        ("数据集代码", f"`{dataset.id}`"),
        ("英文名称", dataset.title_en),
        ("版本", dataset.version),
        ("有效期", f"{dataset.valid_from} 起" + (f"至 {dataset.valid_to}" if dataset.valid_to else "")),
        ("归属库", dataset.library or "—"),
        ("前置库表", f"`{dataset.table}`{own_table}"),
        ("方向", "、".join(_DIRECTIONS[d] for d in dataset.directions)),
        ("报送时限", _deadline(dataset.deadline)),
        ("自然主键", "、".join(f"{dataset.by_id[k].title}（`{k}`）" for k in dataset.natural_key)),
        ("归集主体", _subject(dataset)),
        ("业务日期", _named(dataset, dataset.event_date)),
        ("本规范所定", dataset.profile or "—"),
    )
    for name, content in facts:
        yield f"| {name} | {_cell(content)} |"
    yield ""
    if dataset.note:
        yield f"> {dataset.note}。"
        yield ""


def _deadline(deadline: Deadline) -> str:
    parts = []
    if deadline.real_time:
        parts.append("实时")
    if deadline.working_days is not None:
        parts.append("当日" if deadline.working_days == 0 else f"{deadline.working_days} 个工作日")
    if deadline.hours is not None:
        parts.append(f"{deadline.hours} 小时")
    said = "，".join(parts)
    note = f"（{deadline.note}）" if deadline.note and said else deadline.note
    source = f"；来源：{deadline.source}（{_MARKS[deadline.mark]}）" if deadline.source else ""
    return f"{said}{note}{source}" or "—"


def _subject(dataset: DataSet) -> str:
    named = [_named(dataset, name) for name in (dataset.subject.code, dataset.subject.name) if name]
    return "、".join(named) or "—"


def _named(dataset: DataSet, name: str | None) -> str:
    return f"{dataset.by_id[name].title}（`{name}`）" if name else "—"


def _elements(dataset: DataSet, standard: Standard) -> Iterator[str]:
    yield "## 数据项"
    yield ""
    yield from _table_head("序号", "数据项", "中文名称", "格式", "长度", "填写要求", "填写者", "码表", "说明", "依据")
    for number, element in enumerate(dataset.elements, 1):
        cells = (
            str(number),
            f"`{element.id}`",
            element.title,
            kind_in_words(element),
            size_in_words(element),
            need_in_words(element, dataset, standard),
            _filled_by(element),
            f"`{element.list}`" if element.list else "",
            "；".join(_remarks(element, dataset)),
            f"{_MARKS[element.mark]}：{element.source}",
        )
        yield "| " + " | ".join(_cell(c) for c in cells) + " |"
    yield ""
    yield "公共数据项（交换主键、批次号、数据操作等）随每个数据集携带，由枢纽填写，见公共数据项页。"
    yield ""


def _remarks(element: Element, dataset: DataSet) -> Iterator[str]:
    if element.note:
        yield element.note
    if element.personal:
        yield "个人信息"
    if element.not_future:
        yield "不得晚于当前时间"
    if element.identified_by:
        yield f"按“{dataset.by_id[element.identified_by].title}”校验"


def _rules(dataset: DataSet, standard: Standard) -> Iterator[str]:
    if not dataset.rules:
        return
    yield "## 数据项之间的规则"
    yield ""
    yield from _table_head("规则", "何时违反", "提示语", "怎么改", "后果", "问题代码", "依据")
    for rule in dataset.rules:
        cells = (
            f"`{rule.id}`",
            in_words(rule.when, dataset, standard),
            rule.says,
            rule.fix,
            _SEVERITIES[rule.severity],
            f"`{rule.code}`",
            f"{_MARKS[rule.mark]}：{rule.source}",
        )
        yield "| " + " | ".join(_cell(c) for c in cells) + " |"
    yield ""


def _references(dataset: DataSet, standard: Standard) -> Iterator[str]:
    held = [(e, e.refers) for e in dataset.elements if e.refers is not None]
    if not held:
        return
    yield "## 引用的其他记录"
    yield ""
    yield from _table_head("数据项", "引用", "不引用的值", "查不到时")
    for element, refers in held:
        there = standard.dataset(refers.dataset)
        target = f"{there.title}的“{there.by_id[refers.element].title}”"
        if refers.where:
            target += f"，且{in_words(refers.where, there, standard)}"
        cells = (f"{element.title}（`{element.id}`）", target, "、".join(refers.unless), f"`{refers.code}`")
        yield "| " + " | ".join(_cell(c) for c in cells) + " |"
    yield ""


def _codelists(dataset: DataSet, standard: Standard) -> Iterator[str]:
    names = dict.fromkeys(e.list for e in dataset.elements if e.list is not None)
    if not names:
        return
    yield "## 码表"
    yield ""
    for name in names:
        held = standard.codelist(name)
        yield f"### {held.title}（`{name}`）"
        yield ""
        yield f"{_MARKS[held.mark]}：{held.source}。"
        yield ""
        if len(held.codes) > _PRINTED:
            yield f"共 {len(held.codes)} 个代码，见 `standards/codelists/{name}.csv`。"
        else:
            yield from _table_head("代码", "名称")
            for code in held.codes:
                yield f"| {_cell(code.code)} | {_cell(code.name)} |"
        yield ""


def _sample(dataset: DataSet, standard: Standard) -> Iterator[str]:
    sample = next(Samples(dataset, standard, seed=20).records(1))
    yield "## 样例"
    yield ""
    yield from _table_head("数据项", "中文名称", "值")
    for element in dataset.elements:
        value = sample.get(element.id, "")
        if value:
            if element.type is Kind.CODE:
                name = standard.codes(element.list or "")[value]
                value = value if value == name else f"{value}（{name}）"
            yield f"| `{element.id}` | {_cell(element.title)} | {_cell(value)} |"
    yield ""
    yield "样例由程序生成，不涉及真实的单位和个人。"


def _table_head(*names: str) -> Iterator[str]:
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", "<br>")

"""The standard as it comes with the hub: complete, sound, and what a site may add."""

import time
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from standards.errors import BadConfiguration, UnknownName
from standards.expressions import parse
from standards.findings import catalogue
from standards.model import DataSet, FilledBy, Kind, Library, Mark, Origin, Severity
from standards.registry import Standard, built_in, load

STANDARD = built_in()
ALL = list(STANDARD)
CORE = [
    *("supervise_item_main", "supervise_item_sub", "check_implement_list", "supervise_plan", "supervise_object"),
    *("enforcement_officer", "check_action", "punish_action", "force_action", "other_action", "complaint_report"),
    *("complaint_feedback", "hotline_work_order", "risk_clue", "risk_clue_feedback", "joint_task"),
    *("joint_task_feedback", "credit_license", "credit_penalty", "list_record", "joint_punishment"),
    *("random_check_result", "dual_notice", "copy_send", "third_party_feed"),
]
CONTROL = ["supervise_dynamic", "exchange_receipt", "abnormal_notice", "reconciliation_report"]


def each_dataset(function: object) -> object:
    return pytest.mark.parametrize("dataset", ALL, ids=lambda d: d.id)(function)  # type: ignore[arg-type]


def test_all_data_sets_are_there() -> None:
    assert set(STANDARD.ids()) == {*CORE, *CONTROL, "knowledge_entry"}
    assert {d.id for d in ALL if d.family == "control"} == set(CONTROL)


def test_all_elements_code_lists_and_codes_of_the_standard_are_there() -> None:
    lists = [held for held in STANDARD.codelists.values() if held.origin is Origin.STANDARD]
    own = [e for d in ALL if d.id != "knowledge_entry" for e in d.elements]

    assert len(own) + len(STANDARD.common) == 732
    assert len(STANDARD.common) == 21
    assert len(lists) == 81
    assert sum(len(held.codes) for held in lists) == 424


def test_every_code_list_has_a_user_or_says_why_not() -> None:
    used = {e.list for d in ALL for e in STANDARD.elements(d) if e.list}
    unused = {n for n, held in STANDARD.codelists.items() if n not in used and held.origin is not Origin.REFERENCE}

    assert (
        unused
        == {"CL_DEL_INV", "CL_FB_NEED_INV", "CL_INDUSTRY", "CL_ITEM_RESULT", "CL_PUNISH_TYPE_PUB", "CL_RECEIPT"} - used
    )


def test_the_whole_standard_loads_in_less_than_a_second() -> None:
    start = time.perf_counter()
    load()

    assert time.perf_counter() - start < 1


def test_every_core_data_set_has_one_of_the_eight_libraries_and_every_library_is_used() -> None:
    assert all(d.library for d in ALL if d.family == "core")
    assert {d.library for d in ALL if d.library} == set(Library)


def test_codes_keep_their_leading_zeros() -> None:
    assert "01" in STANDARD.codes("CL_PUNISH_TYPE")
    assert STANDARD.dataset("check_action").by_id["check_mode"].list == "CL_CHECK_MODE"
    assert "check_mode == '01'" in (STANDARD.dataset("check_action").by_id["plan_id"].when or "")


@each_dataset
def test_every_condition_can_be_parsed_with_the_elements_at_hand(dataset: DataSet) -> None:
    known = [e.id for e in STANDARD.elements(dataset)]

    for element in dataset.elements:
        if element.when:
            parse(element.when, known)
    for rule in dataset.rules:
        parse(rule.when, known)


@each_dataset
def test_everything_has_a_chinese_and_an_english_title(dataset: DataSet) -> None:
    for titled in (dataset, *dataset.elements):
        assert titled.title
        assert titled.title_en
        assert titled.title_en.isascii() or dataset.id.startswith("credit_")
    for rule in dataset.rules:
        assert rule.says
        assert rule.says_en
        assert rule.fix
        assert rule.fix_en


@each_dataset
def test_what_is_our_own_is_marked_so(dataset: DataSet) -> None:
    for element in dataset.elements:
        assert element.source, f"{element.id} names no source"
        if "OWN" in element.source:
            assert element.mark is Mark.OWN
    if dataset.table_mark is Mark.OWN or any(e.mark is Mark.OWN for e in dataset.elements):
        assert dataset.profile, f"{dataset.id} does not say what is our own"


@each_dataset
def test_key_subject_and_event_date_are_elements_a_sender_gives(dataset: DataSet) -> None:
    named = [*dataset.natural_key, dataset.subject.code, dataset.subject.name, dataset.event_date]

    for name in filter(None, named):
        assert dataset.by_id[name].filled_by is FilledBy.SENDER


@each_dataset
def test_what_is_demanded_is_demanded_of_the_sender_only(dataset: DataSet) -> None:
    for element in dataset.elements:
        if element.sender_may:
            assert element.filled_by is not FilledBy.SENDER
    assert any(e.need == "must" and e.filled_by is FilledBy.SENDER for e in dataset.elements)


def test_what_the_hub_fills_is_known() -> None:
    filled = {f"{d.id}.{e.id}" for d in ALL for e in d.elements if e.filled_by is FilledBy.HUB}

    assert filled == {
        *(f"{d}.submitted_date" for d in ("check_action", "punish_action", "force_action", "other_action")),
        *("complaint_report.deadline_time", "risk_clue.due_time", "joint_task.due_time", "abnormal_notice.due_time"),
        "hotline_work_order.caller_hash",
    }
    assert all(e.filled_by is not FilledBy.SENDER for e in STANDARD.common if e.id not in ("signature", "remark"))


def test_personal_elements_are_those_the_standard_marks() -> None:
    marked = Counter(d.id for d in ALL for e in d.elements if e.personal)

    assert sum(marked.values()) == 19
    assert STANDARD.dataset("hotline_work_order").personal == {"caller_name", "caller_phone", "caller_contact", "mail"}


def test_the_sender_of_a_penalty_must_give_what_the_rules_say() -> None:
    punish = STANDARD.dataset("punish_action")

    assert punish.by_id["fine"].when == "contains(punish_type, '02')"
    assert punish.by_id["set_date"].not_future
    assert punish.by_id["supervise_item_code"].type is Kind.ITEM
    assert punish.by_id["administrative_cp_ui_code"].identified_by == "administrative_cp_ce_type"
    refers = punish.by_id["check_action_code"].refers
    assert refers is not None
    assert (refers.dataset, refers.element, refers.unless) == ("check_action", "check_action_code", ("无",))


def test_the_six_codes_of_the_double_publication_are_a_group() -> None:
    for name, prefix in (("credit_license", "xk"), ("credit_penalty", "cf")):
        group = [e.id for e in STANDARD.dataset(name).elements if e.group == "six_codes"]

        assert group == [f"{prefix}_xdr_{k}" for k in ("shxym", "gszc", "zzjg", "swdj", "sydw", "shzz")]


def test_a_data_set_that_does_not_exist_is_told_with_the_near_name() -> None:
    with pytest.raises(UnknownName, match="punish_action"):
        STANDARD.dataset("punish_actions")
    with pytest.raises(UnknownName, match="CL_SEX"):
        STANDARD.codelist("CL_SEXX")
    with pytest.raises(UnknownName):
        STANDARD.dataset("punish_action", "7")


# --- what a site adds


def site(tmp_path: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    return tmp_path


def definition(name: str) -> str:
    return (Path(__file__).parents[2] / "standards" / "datasets" / f"{name}.yaml").read_text(encoding="utf-8")


def test_a_site_replaces_a_code_list_without_a_release(tmp_path: Path) -> None:
    folder = site(tmp_path, {"codelists/CL_CHECK_RESULT.csv": "code,name\n01,合格\n77,另行处理\n"})

    standard = load([folder])

    assert standard.codes("CL_CHECK_RESULT") == {"01": "合格", "77": "另行处理"}
    assert standard.codelist("CL_CHECK_RESULT").title == "检查结果"
    assert STANDARD.codes("CL_CHECK_RESULT") != standard.codes("CL_CHECK_RESULT"), "the built-in one stays"


def test_a_replaced_list_that_lacks_a_code_a_condition_needs_is_refused(tmp_path: Path) -> None:
    folder = site(tmp_path, {"codelists/CL_CHECK_RESULT.csv": "code,name\n77,另行处理\n"})

    with pytest.raises(BadConfiguration, match="'01' is not a code of CL_CHECK_RESULT"):
        load([folder])


def test_a_site_adds_a_version_that_is_valid_from_its_day(tmp_path: Path) -> None:
    text = definition("risk_clue").replace("version: 1\n", 'version: "2"\n').replace("2021-01-01", "2026-07-01")
    folder = site(tmp_path, {"datasets/risk_clue.2.yaml": text})

    standard = load([folder])

    assert [d.version for d in standard.versions["risk_clue"]] == ["1", "2"]
    assert standard.dataset("risk_clue").version == "2"
    assert standard.dataset("risk_clue", on=date(2026, 6, 30)).version == "1"
    assert standard.dataset("risk_clue", on=date(2026, 7, 1)).version == "2"
    assert standard.dataset("risk_clue", "1").version == "1"
    with pytest.raises(UnknownName, match="valid on 2020"):
        standard.dataset("risk_clue", on=date(2020, 1, 1))


def test_a_site_adds_divisions(tmp_path: Path) -> None:
    rows = "code,name,level,parent,valid_from,valid_to\n330299,新区,county,330200,2026,\n"

    standard = load([site(tmp_path, {"codelists/regions.csv": rows})])

    assert standard.region("330299") is None
    assert standard.regions.full_name("330299") == "浙江省宁波市新区"
    assert standard.region("330203") is None


def test_the_first_folder_of_the_search_path_wins(tmp_path: Path) -> None:
    one = site(tmp_path / "one", {"codelists/CL_SEX.csv": "code,name\n1,甲\n"})
    two = site(tmp_path / "two", {"codelists/CL_SEX.csv": "code,name\n1,乙\n"})

    assert load([one, two]).codes("CL_SEX") == {"1": "甲"}


def test_all_mistakes_of_all_files_are_told_at_once_with_line_and_near_name(tmp_path: Path) -> None:
    text = definition("risk_clue")
    text = text.replace("list: CL_RISK_LEVEL", "list: CL_RISK_LEVL").replace(
        "max: 50, need: must", "maxx: 50, need: must", 1
    )
    dynamic = definition("supervise_dynamic")
    dynamic = dynamic.replace("list: CL_NEWS_KIND", "list: CL_NEWS_KINDS").replace(
        "news_kind == '2'", "news_knd == '2'"
    )
    folder = site(
        tmp_path,
        {
            "datasets/risk_clue.yaml": text,
            "datasets/supervise_dynamic.yaml": dynamic,
            "codelists/CL_SEX.csv": "code,name\n1,男\n1,女\n",
            "codelists/CL_OWN.csv": "code,name\n1,甲\n",
        },
    )

    with pytest.raises(BadConfiguration) as raised:
        load([folder])

    told = str(raised.value)
    line = next(n for n, s in enumerate(text.splitlines(), 1) if "maxx" in s)
    assert f"risk_clue.yaml:{line}: unknown word maxx" in told
    line = next(n for n, s in enumerate(dynamic.splitlines(), 1) if "CL_NEWS_KINDS" in s)
    assert f"supervise_dynamic.yaml:{line}: news_kind: no code list CL_NEWS_KINDS (did you mean CL_NEWS_KIND?)" in told
    assert "unknown name news_knd (did you mean news_kind?)" in told
    assert "CL_SEX.csv:1: line 3: 1 stands twice" in told
    assert "CL_OWN.csv" in told
    assert "index.yaml" in told


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("dataset: supervise_item_sub", "dataset: supervise_item_sup", "no data set supervise_item_sup"),
        ("element: subitem_code", "element: subitem_cod", "has no element subitem_cod"),
        ("code: 10007.order", "code: 10007.ordre", "no finding code 10007.ordre"),
        ("punish_type, '02'", "punish_type, '92'", "'92' is not a code of CL_PUNISH_TYPE"),
        ("natural_key: [punish_action_code]", "natural_key: [illegal_fact]", "illegal_fact is longtext"),
        ("event_date: set_date", "event_date: fine", "fine is no date"),
        ("title: 违法事实", "title: 处罚依据", "the title 处罚依据 is also that of"),
        ("id: filed_before_decision", "id: closed_after_filing", "closed_after_filing is defined twice"),
    ],
)
def test_a_definition_that_does_not_hold_together_is_refused(
    tmp_path: Path, before: str, after: str, told: str
) -> None:
    text = definition("punish_action")
    assert before in text
    folder = site(tmp_path, {"datasets/punish_action.yaml": text.replace(before, after, 1)})

    with pytest.raises(BadConfiguration, match=told):
        load([folder])


def test_two_versions_from_one_day_are_refused(tmp_path: Path) -> None:
    text = definition("risk_clue").replace("version: 1\n", 'version: "2"\n')

    with pytest.raises(BadConfiguration, match="two versions from 2021-01-01"):
        load([site(tmp_path, {"datasets/risk_clue.2.yaml": text})])


def test_common_elements_give_way_to_those_of_the_data_set() -> None:
    receipt = STANDARD.dataset("exchange_receipt")
    ids = [e.id for e in STANDARD.elements(receipt)]

    assert len(ids) == len(set(ids))
    digest = next(e for e in STANDARD.elements(receipt) if e.id == "content_digest")
    assert digest.title == "原消息摘要(SM3)"


def test_severities_of_rules_win_over_the_catalogue() -> None:
    rules = {r.id: r for r in STANDARD.dataset("check_action").rules}

    assert catalogue().severity("10004.mismatch", rules["citizen_identity_card"]) is Severity.WARNING
    assert catalogue().severity("10004.mismatch", rules["officers_counted"]) is Severity.ERROR


def test_the_standard_is_what_the_checker_asks() -> None:
    standard: Standard = STANDARD

    assert standard.region("330203") is None
    assert standard.region("110103") == "withdrawn"
    assert standard.region("990000") == "unknown"
    assert standard.industry("C3912")
    assert not standard.industry("Z")
    assert standard.title("check_action") == "行政检查行为"
    assert standard.title("check_action", "en") == "Administrative checks"
    assert standard.title("nothing") == "nothing"

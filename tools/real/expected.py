"""The real files, the mapping each takes, and what share should be accepted, stated before any run, with the reason."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class RealInput:
    """One hand-over of one or more real files."""

    name: str
    #: Paths below the folder of shared data; several are put into one zip.
    files: tuple[str, ...]
    mapping: str
    #: Share of the records read that should be accepted: at least, at most.
    at_least: float
    at_most: float
    why_zh: str
    why_en: str
    #: What a person should do about it.
    do_zh: str
    do_en: str

    def data(self, root: Path) -> bytes:
        """The bytes that are handed over."""
        if len(self.files) == 1:
            return (root / self.files[0]).read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in self.files:
                # A fixed time, so that the same files are the same bytes.
                entry = zipfile.ZipInfo(Path(file).name, (2026, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, (root / file).read_bytes())
        return packed.getvalue()

    @property
    def file_name(self) -> str:
        """Under which name it is handed over."""
        return Path(self.files[0]).name if len(self.files) == 1 else f"{self.name}.zip"


_ASK_FOR_KEYS_ZH = "请来源部门在导出中补上编号、代码、事项等必填项；这些项不能由枢纽编造。"
_ASK_FOR_KEYS_EN = "ask the source to add the must-elements (number, codes, item) to its export; the hub invents none."

REAL: tuple[RealInput, ...] = (
    RealInput(
        name="env-penalties",
        files=("penalty_cn/env_key_enterprises_2017.xlsx",),
        mapping="env_ministry/punish_action",
        at_least=0,
        at_most=0,
        why_zh="公开名单只有五列，没有案件编号、信用代码、决定日期、事项编码等必填项，应全部退回",
        why_en="a public list of five columns: no number, credit code, date of decision or item code; all rejected",
        do_zh=_ASK_FOR_KEYS_ZH,
        do_en=_ASK_FOR_KEYS_EN,
    ),
    RealInput(
        name="dishonest-ecommerce",
        files=("penalty_cn/dishonest_ecommerce_91855.xlsx",),
        mapping="credit_ecommerce/list_record",
        at_least=0,
        at_most=0,
        why_zh="名单没有记录标识、列入日期和作出决定的机关，应全部退回",
        why_en="no record id, no date of listing, no deciding authority; all rejected",
        do_zh=_ASK_FOR_KEYS_ZH,
        do_en=_ASK_FOR_KEYS_EN,
    ),
    RealInput(
        name="finance-dishonest-ocr",
        files=("penalty_cn/finance_dishonest_orgs_ocr_93512_4.masked.xlsx",),
        mapping="court_ocr/list_record",
        at_least=0,
        at_most=0,
        why_zh="没有列入日期和机关代码，且为扫描识别，81 个信用代码只有 14 个校验位正确，应全部退回",
        why_en="no date of listing; read by OCR, of 81 credit codes 14 pass the check digit; all rejected",
        do_zh="扫描件识别的数据须由人对照原件更正后重报，不应直接交换。",
        do_en="data read by OCR must be compared with the originals by a person before it is exchanged.",
    ),
    RealInput(
        name="drug-sampling",
        files=("penalty_cn/drug_sampling_failed_114802.xlsx",),
        mapping="drug_sampling/check_action",
        at_least=0,
        at_most=0,
        why_zh="公告表没有检查编号、时间、人员、事项和代码，应全部退回",
        why_en="an announcement without number, time, officers, item or codes of the check; all rejected",
        do_zh=_ASK_FOR_KEYS_ZH,
        do_en=_ASK_FOR_KEYS_EN,
    ),
    RealInput(
        name="uk-food-hygiene",
        files=("inspection_foreign/FHRS336en-GB.xml",),
        mapping="uk_fhrs/check_action",
        at_least=0,
        at_most=0,
        why_zh="国外数据没有中国的事项、代码、区划和人员，应全部退回；用来检验读取与提示",
        why_en="foreign data without our items, codes, divisions and officers; all rejected; shows reading and telling",
        do_zh="无需处理：国外数据只用来检验系统。",
        do_en="nothing: foreign data only tests the system.",
    ),
    RealInput(
        name="sf-restaurants",
        files=(
            "inspection_foreign/sf_inspections_for_those_businesses.csv",
            "inspection_foreign/sf_businesses_first1200_plus_nonascii.masked.csv",
            "inspection_foreign/sf_violations_for_those_businesses.csv",
        ),
        mapping="sf_inspections/check_action",
        at_least=0,
        at_most=0,
        why_zh="同上；三个文件按企业编号合并，iso-8859-1",
        why_en="as above; three files joined by business id, iso-8859-1",
        do_zh="无需处理：国外数据只用来检验系统。",
        do_en="nothing: foreign data only tests the system.",
    ),
    RealInput(
        name="cosmetics-licences",
        files=("licence_cn/nmpa_cosmetics_licence_detail.masked.json",),
        mapping="nmpa_cosmetics/credit_license",
        at_least=0,
        at_most=0,
        why_zh="公开接口没有决定文书号和机关代码，应全部退回；60 个对象只有 15 个不同的许可",
        why_en="the public interface has no decision number and no authority codes; all rejected; 15 licences, 4 times",
        do_zh=_ASK_FOR_KEYS_ZH,
        do_en=_ASK_FOR_KEYS_EN,
    ),
    RealInput(
        name="registry-hunan-2018",
        files=("enterprise_cn/registry_2018_hunan_first1500.masked.csv",),
        mapping="enterprise_registry/supervise_object",
        at_least=0.9,
        at_most=1,
        why_zh="信用代码全部有效，地区可查到区划，应基本通过",
        why_en="every credit code is valid and the places are known; nearly all accepted",
        do_zh="退回的逐条更正；地区名称查不到区划的，请登记机关补区划代码。",
        do_en="mend what was rejected; where a place name gives no division code, the registry should add it.",
    ),
    RealInput(
        name="registry-guangdong-2005",
        files=("enterprise_cn/registry_2005_guangdong_first1500.masked.csv",),
        mapping="enterprise_registry/supervise_object",
        at_least=0.85,
        at_most=1,
        why_zh="年代较早，少数代码和地区有误，应基本通过",
        why_en="older; a few codes and places are wrong; most accepted",
        do_zh="同上。",
        do_en="as above.",
    ),
    RealInput(
        name="registry-guizhou-1985",
        files=("enterprise_cn/registry_1985_guizhou.masked.csv",),
        mapping="enterprise_registry/supervise_object",
        at_least=0.85,
        at_most=1,
        why_zh="老国有企业，注册资金写法特殊，应基本通过",
        why_en="old state firms, capital in odd forms; most accepted",
        do_zh="同上。",
        do_en="as above.",
    ),
    RealInput(
        name="petitions-labelled",
        files=("complaint_cn/messages_labelled_ghost_rows.xlsx",),
        mapping="petitions/complaint_report",
        at_least=0.95,
        at_most=1,
        why_zh="495 行有内容（工作表声称 65,202 行），一个编号重复，应基本通过",
        why_en="495 rows hold something (the sheet claims 65,202), one number is doubled; nearly all accepted",
        do_zh="编号重复的两条由热线平台核对。",
        do_en="the platform should look at the doubled number.",
    ),
    RealInput(
        name="petitions-votes",
        files=("complaint_cn/messages_votes_mixed_dates.xlsx",),
        mapping="petitions/complaint_report",
        at_least=0.95,
        at_most=1,
        why_zh="时间有文本也有 Excel 日期，应基本通过",
        why_en="times are text and real dates; nearly all accepted",
        do_zh="退回的逐条更正。",
        do_en="mend what was rejected.",
    ),
    RealInput(
        name="air-quality",
        files=("iot/beijing_pm25_hourly_first3000.csv",),
        mapping="air_quality/third_party_feed",
        at_least=0.99,
        at_most=1,
        why_zh="时间连续，读数缺失写作 NA，不影响通过",
        why_en="hours without gaps; missing readings are NA and do no harm; all accepted",
        do_zh="无需处理。",
        do_en="nothing.",
    ),
)


def by_name(name: str) -> RealInput:
    """One of them.  Raises KeyError."""
    return {one.name: one for one in REAL}[name]


def configuration(folder: Path) -> str:
    """hub.toml of a city with a connection for each real input; what is accepted goes into a folder."""
    return "\n".join(_lines(folder))


def _lines(folder: Path) -> Iterator[str]:
    yield "[hub]"
    yield 'name = "datong"'
    yield 'title = "大同市监管数据交换枢纽"'
    yield 'level = "city"'
    yield 'region = "140200"'
    yield 'code = "11140200E9QM7HGU4X"'
    yield "[api]"
    yield "port = 0"
    yield "[parties.bureau]"
    yield 'title = "大同市生态环境局"'
    yield 'code = "11140200A4L2GB1F45"'
    yield "[parties.centre]"
    yield 'title = "省监管数据中心"'
    yield 'code = "11140000N8Y3CP4F3H"'
    yield 'kind = "platform"'
    yield 'level = "province"'
    for one in REAL:
        yield f"[connections.{one.name}]"
        yield 'party = "bureau"'
        yield f'mapping = "{one.mapping}"'
    yield "[destinations.province]"
    yield 'party = "centre"'
    yield 'adapter = "file"'
    yield f'settings = {{ folder = "{folder / "out"}" }}'
    yield "[[routes]]"
    yield 'to = ["province"]'

"""Small invented files in the shape, form and encoding of the real ones: the same roads are travelled everywhere."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from datetime import datetime
from random import Random
from typing import Any

import xlsxwriter

from standards.identifiers import make_uscc

CHANCE = Random(2026)
CODES = [make_uscc(CHANCE) for _ in range(8)]
ANOTHER = make_uscc(CHANCE)


def workbook(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """One sheet; dates as Excel's dates."""
    stream = io.BytesIO()
    with xlsxwriter.Workbook(stream, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Sheet1")
        date = book.add_format({"num_format": "yyyy/m/d h:mm:ss"})
        sheet.write_row(0, 0, header)
        for n, row in enumerate(rows, 1):
            for column, value in enumerate(row):
                if isinstance(value, datetime):
                    sheet.write_datetime(n, column, value, date)
                else:
                    sheet.write(n, column, value)
    return stream.getvalue()


def csv(header: str, *lines: str, encoding: str = "utf-8", end: str = "\n") -> bytes:
    return (end.join([header, *lines]) + end).encode(encoding)


def zipped(**files: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in files.items():
            archive.writestr(f"{name}.csv", data)
    return stream.getvalue()


def env() -> bytes:
    period = "2017年第一季度国家重点监控企业主要污染物排放严重超标和处罚情况"
    return workbook(
        ["时间", "区域", "企业名称", "处罚结果", "整改情况"],
        [
            [period, "北京市", "某某污水处理所", "警告。", "限期2018年5月17日完成整改"],
            [period, "河北省", "某某水务公司", "罚款16万元；按日连续处罚118.68万元。", "2017年3月13日达标"],
        ],
    )


def ecommerce() -> bytes:
    return workbook(
        ["企业名称", "工商注册号", "组织机构代码", "统一信用代码", "失信领域"],
        [
            ["某某电子商务有限公司", "330103000217276", "311389009", CODES[0], "失信被执行人名单、工商吊销企业名单"],
            ["某某商贸有限公司", "110105010247558", "663128478", None, "工商吊销企业名单"],
        ],
    )


def ocr() -> bytes:
    header = [
        "序号",
        "省份",
        "企业名称",
        "统一社会 信用代码",
        "组织结 构代码",
        "罪名",
        "案号",
        "判决作出 机构",
        "法定代 表人",
    ]
    first = ["1", "安撤", "某某服沛有 眼公司", "9134082868 68674171", "686867417", "非法吸收公众 存款罪"]
    return workbook(header, [[*first, "〈2016〉皖0828刑 初52号", "岳西县人民 法唉", "王**"]])


def sampling() -> bytes:
    header = [
        "药品品名",
        "标示生产企业或供货单位",
        "生产批号",
        "检品来源",
        "检验依据",
        "检验结果",
        "不合格项目",
        "检验机构",
        "备注",
    ]
    row = [
        "白及",
        "某某药业",
        "20160629",
        "某 某 堂药店",
        "《中华人民共和国药典》2027年版一部",
        "不合格",
        "[鉴别]（（1））",
    ]
    return workbook(header, [[*row, "某某检定研究院", "*\u00a0"]])


def fhrs() -> bytes:
    one = (
        "<EstablishmentDetail><FHRSID>{id}</FHRSID><BusinessName>O'Neill &amp; Sons</BusinessName>{rating}"
        "<LocalAuthorityName>River Tees</LocalAuthorityName><SchemeType>FHRS</SchemeType><Geocode />"
        "</EstablishmentDetail>"
    )
    rated = "<RatingValue>5</RatingValue><RatingKey>fhrs_5_en-GB</RatingKey><RatingDate>2020-01-03</RatingDate>"
    details = one.format(id=1, rating=rated) + one.format(id=2, rating="<RatingValue>Exempt</RatingValue>")
    return (
        '<?xml version="1.0"?><FHRSEstablishment><Header><ItemCount>2</ItemCount></Header>'
        f"<EstablishmentCollection>{details}</EstablishmentCollection></FHRSEstablishment>"
    ).encode()


def restaurants() -> bytes:
    crlf: dict[str, Any] = {"encoding": "iso-8859-1", "end": "\r\n"}
    header = (
        '"business_id","name","address","city","postal_code","latitude","longitude","TaxCode","business_certificate",'
        '"application_date"'
    )
    business = '"10","Café Ñandú","033 Belden Pl","S.F.","94104","37.79","-122.40","H24","779059",""'
    return zipped(
        sf_businesses=csv(header, business, **crlf),
        sf_inspections=csv(
            '"business_id","Score","date","type"',
            '10,94,"20140729","Routine - Unscheduled"',
            '10,,"20140807","Reinspection/Followup"',
            **crlf,
        ),
        sf_violations=csv(
            '"business_id","date","ViolationTypeID","risk_category","description"',
            '10,"20140729",103154,"Low Risk","Unclean floors"',
            '10,"20140729",103145,"Low Risk","Improper storage"',
            **crlf,
        ),
    )


def cosmetics() -> bytes:
    one = {
        "epsName": "某某日化有限公司",
        "businessLicenseNumber": CODES[0].lower(),
        "legalPerson": "万**",
        "productSn": "湘妆20160005",
        "certStr": "膏霜乳液单元",
        "xkDateStr": "2021-10-23",
        "xkDate": "2026-10-23",
        "qfManagerName": "某省药品监督管理局",
        "rcManagerDepartName": "",
        "xkCompleteDate": None,
        "cityCode": "",
    }
    return json.dumps([one, one, {**one, "productSn": "湘妆20160006"}], ensure_ascii=False).encode()


def registry() -> bytes:
    header = "企业名称,统一社会信用代码,注册日期,企业类型,法人代表,注册资金,经营范围,所在省份,地区,注册地址"
    lines = [
        f'某某第{n}润滑油有限公司,{code},2018-01-05,N/A,张**,"5,088(万元人民币)",润滑油；批发,湖南,常德,湖南省常德市安福工业园'
        for n, code in enumerate(CODES)
    ]
    lines.append(f"某某供销社,{CODES[0][:-1]}?,1985-12-31,集体所有制,N/A,120万人民币,化肥,湖南,常德,湖南省常德市人民路")
    return csv(header, *lines)


def petitions() -> bytes:
    header = ["留言编号", "留言用户", "留言主题", "留言时间", "留言详情", "反对数", "点赞数"]
    body = "\n\t\t\n\tA3区大道西行便道被围\n\t"
    rows = [[188006 + n, f"A{n:05}", f"关于第{n}件事的留言", "2019/2/28 11:25:05", body, 0, n] for n in range(5)]
    as_excel_has_it = datetime(2019, 7, 19, 18, 19, 54)  # noqa: DTZ001 - without a zone
    rows.append([188020, "A00099", "时间是 Excel 日期", as_excel_has_it, body, 0, 1])
    return workbook(header, rows)


def air() -> bytes:
    lines = [
        f"{n + 1},2010,1,{1 + n // 24},{n % 24},{'NA' if n < 3 else 100 + n},-21,-11,1021,NW,1.79,0,0"
        for n in range(48)
    ]
    return csv("No,year,month,day,hour,pm2.5,DEWP,TEMP,PRES,cbwd,Iws,Is,Ir", *lines, end="\r\n").replace(
        b"No,", b"PRSA_data_2010.1.1-2014.12.31\r\nNo,", 1
    )


#: Connection, the twin, records read, records accepted.
TWINS: dict[str, tuple[Callable[[], bytes], int, int]] = {
    "env-penalties": (env, 2, 0),
    "dishonest-ecommerce": (ecommerce, 2, 0),
    "finance-dishonest-ocr": (ocr, 1, 0),
    "drug-sampling": (sampling, 1, 0),
    "uk-food-hygiene": (fhrs, 2, 0),
    "sf-restaurants": (restaurants, 2, 0),
    "cosmetics-licences": (cosmetics, 3, 0),
    "registry-hunan-2018": (registry, 9, 8),
    "petitions-votes": (petitions, 6, 6),
    "air-quality": (air, 48, 48),
}

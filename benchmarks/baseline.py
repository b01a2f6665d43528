"""What an ordinary team writes for the same road: one record at a time, each step right, none of them thrifty.

    CSV → pydantic model → INSERT, committed → publish, confirmed → consume → POST → UPDATE, committed → acknowledge

It keeps less than the hub does (no findings with places, no receipts, no journal, no revisions) and has no repeats to
look for.  Durable queue, persistent messages, prefetch 50.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated, Literal

import pika
import psycopg
import requests
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from standards.identifiers import check_uscc

QUEUE = "baseline"
_KINDS = {"警告": "01", "罚款": "02", "没收违法所得": "03", "责令停产停业": "04", "通报批评": "08"}
_SOURCES = {"日常检查": "1", "信访投诉": "2", "群众举报": "3", "上级交办": "4", "部门移送": "5"}


def _date(text: str) -> date:
    for form in ("%Y年%m月%d日", "%Y/%m/%d", "%Y-%m-%d"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day
        except ValueError:
            continue
    raise ValueError("not a date")


def _uscc(text: str) -> str:
    if check_uscc(text) not in (None, "uscc_inner"):
        raise ValueError("not a credit code")
    return text


def _yuan(text: str) -> Decimal:
    try:
        return Decimal(text) * 10000
    except InvalidOperation as error:
        raise ValueError("not a number") from error


Day = Annotated[date, BeforeValidator(_date)]
Uscc = Annotated[str, BeforeValidator(_uscc)]
Amount = Annotated[Decimal, BeforeValidator(_yuan), Field(max_digits=18)]
YesNo = Annotated[Literal["1", "0"], BeforeValidator({"是": "1", "否": "0"}.get)]


class Penalty(BaseModel):
    """One penalty in the standard's words."""

    supervise_item_code: str = Field(pattern=r"^\d{14}$")
    punish_action_name: str = Field(min_length=1, max_length=500)
    punish_action_code: str = Field(min_length=1, max_length=50)
    implement_institution: str = Field(min_length=1, max_length=100)
    implement_institution_code: Uscc
    supervise_object: str = Field(min_length=1, max_length=200)
    administrative_cp: str = Field(min_length=1, max_length=200)
    administrative_cp_na: Literal["1", "2", "3"]
    administrative_cp_ce_type: Literal["001", "111"]
    administrative_cp_ui_code: Uscc
    address_registered: str = Field("", max_length=400)
    area_number: str = Field(pattern=r"^1402\d{2}$")
    case_source: str
    check_action_code: str = Field(max_length=50)
    illegal_fact: str = Field(min_length=1, max_length=5000)
    punish_accord: str = Field(min_length=1, max_length=5000)
    punish_procedure: Literal["01", "02"]
    if_hearing_witnesses: YesNo
    filing_date: Day
    case_involving_punishment: YesNo
    punish_document_code: str = Field(min_length=1, max_length=100)
    set_date: Day
    punish_type: list[str] = Field(min_length=1)
    fine: Amount
    penalty_result: str = Field(min_length=1, max_length=1000)
    administrative_penalties: YesNo


def from_row(row: dict[str, str]) -> Penalty:
    """Map and check one row."""
    return Penalty.model_validate(
        {
            "supervise_item_code": row["监管事项编码"],
            "punish_action_name": row["案件名称"],
            "punish_action_code": row["案件编号"],
            "implement_institution": row["实施机构"],
            "implement_institution_code": row["机构代码"],
            "supervise_object": row["监管对象"] or row["当事人"],
            "administrative_cp": row["当事人"],
            "administrative_cp_na": {"企业": "2", "个人": "1"}.get(row["当事人类型"]),
            "administrative_cp_ce_type": {"信用代码": "001", "身份证": "111"}.get(row["证件类型"]),
            "administrative_cp_ui_code": row["证件号码"],
            "address_registered": row["注册地址"],
            "area_number": row["区划"],
            "case_source": _SOURCES[row["案件来源"]],
            "check_action_code": row["检查编号"] or "无",
            "illegal_fact": row["违法事实"],
            "punish_accord": row["处罚依据"],
            "punish_procedure": {"简易": "01", "普通": "02"}.get(row["处罚程序"]),
            "if_hearing_witnesses": row["是否听证"],
            "filing_date": row["立案日期"],
            "case_involving_punishment": row["是否涉刑"],
            "punish_document_code": row["决定书文号"],
            "set_date": row["决定日期"],
            "punish_type": [_KINDS[kind] for kind in row["处罚种类"].split("、")],
            "fine": row["罚款金额(万元)"],
            "penalty_result": row["处罚结果"],
            "administrative_penalties": row["是否不予处罚"],
        }
    )


@dataclass
class Outcome:
    """What a run came to."""

    read: int
    accepted: int
    rejected: int
    seconds: float


class Baseline:
    """Producer in one thread, consumer in another, as two services would be."""

    def __init__(self, postgres: str, amqp: str, endpoint: str) -> None:
        self._postgres = postgres.replace("postgresql+psycopg", "postgresql")
        self._amqp = amqp
        self._endpoint = endpoint
        with psycopg.connect(self._postgres) as connection:
            connection.execute("DROP TABLE IF EXISTS baseline_record, baseline_error")
            connection.execute(
                "CREATE TABLE baseline_record (code text PRIMARY KEY, body jsonb NOT NULL, state text NOT NULL,"
                " created_at timestamptz DEFAULT now(), delivered_at timestamptz)"
            )
            connection.execute("CREATE TABLE baseline_error (id bigserial PRIMARY KEY, line int, errors jsonb)")

    def run(self, file: Path) -> Outcome:
        """The whole road of one file."""
        with pika.BlockingConnection(pika.URLParameters(self._amqp)) as connection:
            channel = connection.channel()
            channel.queue_delete(QUEUE)
            channel.queue_declare(QUEUE, durable=True)
        begin = time.perf_counter()
        # Two processes, as two services would be.
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            producing = pool.submit(self._produce, file)
            accepted = self._consume(lambda: producing.result()[0] if producing.done() else None)
            rejected = producing.result()[1]
        return Outcome(accepted + rejected, accepted, rejected, time.perf_counter() - begin)

    def _produce(self, file: Path) -> tuple[int, int]:
        """Read, check, store and publish; how many were accepted and rejected."""
        accepted = rejected = 0
        with (
            psycopg.connect(self._postgres) as database,
            pika.BlockingConnection(pika.URLParameters(self._amqp)) as connection,
            file.open(encoding="gb18030", newline="") as stream,
        ):
            channel = connection.channel()
            channel.confirm_delivery()
            for line, row in enumerate(csv.DictReader(stream), 2):
                try:
                    body = from_row(row).model_dump_json()
                except (ValidationError, KeyError) as error:
                    rejected += 1
                    said = error.errors(include_context=False) if isinstance(error, ValidationError) else str(error)
                    errors = json.dumps(said, default=str)
                    database.execute("INSERT INTO baseline_error (line, errors) VALUES (%s, %s)", (line, errors))
                    database.commit()
                    continue
                database.execute(
                    "INSERT INTO baseline_record (code, body, state) VALUES (%s, %s, 'new')", (row["案件编号"], body)
                )
                database.commit()
                channel.basic_publish("", QUEUE, body.encode(), pika.BasicProperties(delivery_mode=2), mandatory=True)
                accepted += 1
        return accepted, rejected

    def _consume(self, expected: Callable[[], int | None]) -> int:
        """Deliver until as many as expected are delivered, once that is known."""
        delivered = 0
        with (
            psycopg.connect(self._postgres) as database,
            pika.BlockingConnection(pika.URLParameters(self._amqp)) as connection,
            requests.Session() as session,
        ):
            channel = connection.channel()
            channel.basic_qos(prefetch_count=50)
            for method, _, body in channel.consume(QUEUE, inactivity_timeout=0.2):
                if delivered == expected():
                    break
                if method is None:
                    continue
                session.post(self._endpoint, data=body, headers={"content-type": "application/json"}).raise_for_status()
                code = json.loads(body)["punish_action_code"]
                database.execute(
                    "UPDATE baseline_record SET state = 'delivered', delivered_at = now() WHERE code = %s", (code,)
                )
                database.commit()
                channel.basic_ack(method.delivery_tag)
                delivered += 1
                if delivered == expected():
                    break
        return delivered

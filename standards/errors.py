"""Every error the hub can raise, grouped by who has to act.

    HubError
    ├── Temporary                 the machine tries again
    │   ├── SystemUnreachable       no connection, or it was cut
    │   ├── SystemBusy              it answered: not now
    │   └── LedgerBusy              the ledger could not be written right now
    ├── BadRecord                 the owner of the data mends it
    │   ├── UnreadablePayload       the bytes cannot be read as what they claim to be
    │   ├── PayloadTooLarge         more than the hub takes in one hand-over
    │   ├── ReceiverRefused         the receiver said no
    │   └── IdempotencyConflict     same id, other bytes
    └── BadSetup                  the operator mends it
        ├── BadConfiguration        settings, mapping or standard are wrong
        ├── UnknownName             no connection, data set, receipt … of that name
        ├── NotAllowed              wrong or missing key, or no right
        ├── CalendarMissing         the working days of a year are not known
        └── AnswerNotUnderstood     the other side does not speak as agreed

A test compares this picture with the classes below.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, ClassVar

#: Openings of hints that are said everywhere, and how they read in Chinese.
_USUAL = (("did you mean ", "是不是 "), ("there are: ", "可选："), ("see: ", "参见："), ("see ", "参见 "))

#: So many names are listed where none is near.
_SHOWN = 20

PROBLEM_TYPE = "urn:cn-supervision-hub:problem:"


class HubError(Exception):
    """Something went wrong; the class says who has to act."""

    #: Stable name for machines, also the last part of a problem document's type.
    code: ClassVar[str] = "error"
    #: HTTP status of the problem document (RFC 9457).
    status: ClassVar[int] = 500
    #: What the class means, Chinese and English.
    title_zh: ClassVar[str] = "内部错误"
    title: ClassVar[str] = "internal error"

    def __init__(
        self,
        what: str,
        *,
        what_zh: str | None = None,
        hint: str | None = None,
        hint_zh: str | None = None,
        params: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.what_zh = what_zh or what
        self.hint = hint
        self.hint_zh = hint_zh or usual_zh(hint)
        self.params = dict(params or {})

    def __str__(self) -> str:
        return f"{self.what} ({self.hint})" if self.hint else self.what


def usual_zh(hint: str | None) -> str | None:
    """A hint of the usual sort in Chinese; any other as it is."""
    for opening, chinese in _USUAL:
        if hint and hint.startswith(opening):
            rest = hint.removeprefix(opening)
            return chinese + (rest.removesuffix("?") + "？" if rest.endswith("?") else rest.replace(", ", "、"))
    return hint


class Temporary(HubError):
    """The machine tries again; nobody needs to act yet."""

    code = "temporary"
    status = 503
    title_zh = "暂时不可用"
    title = "temporarily unavailable"

    def __init__(self, what: str, *, retry_after: float | None = None, **kwargs: object) -> None:
        super().__init__(what, **kwargs)  # type: ignore[arg-type]
        #: Seconds the other side asked us to wait, if it did.
        self.retry_after = retry_after


class SystemUnreachable(Temporary):
    """No connection, or it was cut: the destination as a whole is down."""

    code = "system-unreachable"
    title_zh = "对方系统无法连接"
    title = "system unreachable"

    def __init__(self, what: str, *, answer_lost: bool = False, **kwargs: object) -> None:
        super().__init__(what, **kwargs)  # type: ignore[arg-type]
        #: True when the request was sent and only the answer is missing.
        self.answer_lost = answer_lost


class SystemBusy(Temporary):
    """The other side answered that it cannot take this now."""

    code = "system-busy"
    title_zh = "对方系统繁忙"
    title = "system busy"


class LedgerBusy(Temporary):
    """The ledger could not be written right now."""

    code = "ledger-busy"
    title_zh = "台账暂不可写"
    title = "ledger busy"


class BadRecord(HubError):
    """The owner of the data mends it."""

    code = "bad-record"
    status = 422
    title_zh = "数据有误"
    title = "bad data"


class UnreadablePayload(BadRecord):
    """The bytes cannot be read as what they claim to be."""

    code = "unreadable-payload"
    title_zh = "报送内容无法读取"
    title = "unreadable payload"


class PayloadTooLarge(BadRecord):
    """More than the hub takes in one hand-over."""

    code = "payload-too-large"
    status = 413
    title_zh = "报送内容过大"
    title = "payload too large"


class ReceiverRefused(BadRecord):
    """The receiver said no to these records."""

    code = "receiver-refused"
    title_zh = "接收方拒收"
    title = "refused by the receiver"


class IdempotencyConflict(BadRecord):
    """The submission id was used before, with other bytes."""

    code = "idempotency-conflict"
    status = 409
    title_zh = "报送编号已被使用"
    title = "submission id already used"


class BadSetup(HubError):
    """The operator mends it."""

    code = "bad-setup"
    title_zh = "配置有误"
    title = "bad setup"


class BadConfiguration(BadSetup):
    """Settings, a mapping or the standard are wrong."""

    code = "bad-configuration"
    title_zh = "配置有误"
    title = "bad configuration"


class UnknownName(BadSetup):
    """Nothing of that name is known."""

    code = "unknown-name"
    status = 404
    title_zh = "名称不存在"
    title = "unknown name"

    @classmethod
    def of(cls, kind: str, kind_zh: str, name: str, known: Iterable[str]) -> UnknownName:
        """With the near name, or what there is: `UnknownName.of("party", "接入方", "ecolgy", parties)`."""
        there = list(known)
        near = get_close_matches(name, there, 1)
        shown = ", ".join(there[:_SHOWN]) + (" …" if len(there) > _SHOWN else "")
        hint = f"did you mean {near[0]}?" if near else f"there are: {shown}" if there else None
        return cls(f"no {kind} {name}", what_zh=f"没有名为 {name} 的{kind_zh}", hint=hint)


class NotAllowed(BadSetup):
    """Wrong or missing key, or no right to do this."""

    code = "not-allowed"
    status = 403
    title_zh = "无权操作"
    title = "not allowed"


class CalendarMissing(BadSetup):
    """The working days of a year are not known; never guessed."""

    code = "calendar-missing"
    title_zh = "工作日历缺失"
    title = "calendar missing"

    def __init__(self, year: int) -> None:
        super().__init__(
            f"calendar {year} not loaded",
            what_zh=f"{year} 年工作日历尚未加载",
            hint=f"put the State Council's notice for {year} into a year file",
            hint_zh=f"请按国务院办公厅 {year} 年节假日安排通知补充年历文件",
        )
        self.year = year


class AnswerNotUnderstood(BadSetup):
    """The other side does not speak as agreed."""

    code = "answer-not-understood"
    status = 502
    title_zh = "对方应答无法识别"
    title = "answer not understood"


def problem_document(error: HubError) -> dict[str, Any]:
    """An error as a problem document (RFC 9457): Chinese first, English beside it."""
    document: dict[str, Any] = {
        "type": PROBLEM_TYPE + error.code,
        "title": error.title_zh,
        "title_en": error.title,
        "status": error.status,
        "detail": error.what_zh,
        "detail_en": error.what,
        "code": error.code,
    }
    if error.hint_zh:
        document["hint"] = error.hint_zh
    if error.hint:
        document["hint_en"] = error.hint
    return document

"""What a receiver says of a parcel, as JSON: the one form for HTTP and AMQP.

    {"parcel_id": "…", "receipt_no": "…", "speaker": "…", "level": "…",
     "records": [{"cd_id": "…", "result": "refused", "code": "…", "element": "…", "message": "…"}]}

Every word may be left out; an empty text says that all was accepted, `"awaiting": true` that the verdict comes later.
Records that are not named are accepted.
"""

from __future__ import annotations

from uuid import UUID

import msgspec

from standards.errors import AnswerNotUnderstood
from standards.parcel import Answer, AnswerLine, Result


class _Said(msgspec.Struct):
    cd_id: str
    result: str = "refused"
    code: str = ""
    element: str = ""
    message: str = ""


class _Reply(msgspec.Struct):
    parcel_id: UUID | None = None
    receipt_no: str = ""
    awaiting: bool = False
    speaker: str = ""
    level: str = ""
    records: list[_Said] = []


#: Made here: msgspec looks a type up at its first use, and crashes when two threads use it first at the same moment.
_REPLY = msgspec.json.Decoder(_Reply)


def read_reply(body: bytes, *, speaker: str, level: str) -> tuple[UUID | None, Answer]:
    """The parcel it names, if it does, and the answer; `speaker` and `level` where it does not say.

    Raises AnswerNotUnderstood.
    """
    if not body.strip():
        return None, Answer(speaker=speaker, level=level)
    try:
        reply = _REPLY.decode(body)
        lines = tuple(
            AnswerLine(
                cd_id=said.cd_id,
                result=Result(said.result),
                code=said.code,
                element=said.element,
                message=said.message,
            )
            for said in reply.records
        )
    except (msgspec.MsgspecError, ValueError) as error:
        raise AnswerNotUnderstood(
            f"the answer is not one of ours: {error}", what_zh="对方应答格式无法识别", hint="see docs/adapters"
        ) from error
    answer = Answer(
        awaiting=reply.awaiting,
        lines=lines,
        speaker=reply.speaker or speaker,
        level=reply.level or level,
        receipt_no=reply.receipt_no,
    )
    return reply.parcel_id, answer

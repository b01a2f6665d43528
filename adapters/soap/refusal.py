"""Why a message is no request of our contract."""

from __future__ import annotations

from standards.errors import BadRecord


class BadRequest(BadRecord):
    """The message is no request of our contract."""

    code = "bad-request"
    status = 400
    title_zh = "请求不符合接口约定"
    title = "not a request of this service"


class NotUnderstood(BadRequest):
    """A header says that it must be understood, and is not."""

    code = "not-understood"
    title_zh = "报文头不受支持"
    title = "a header is not understood"


def see_wsdl(what: str, what_zh: str) -> BadRequest:
    """A refusal whose remedy is in the contract."""
    return BadRequest(what, what_zh=what_zh, hint="see GET /soap?wsdl", hint_zh="请对照 GET /soap?wsdl")

"""Errors as problem documents (RFC 9457): Chinese first, English beside it, with our code and what helps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from standards.errors import PROBLEM_TYPE, HubError, NotAllowed, Temporary, problem_document

log = structlog.get_logger()


class WrongKey(NotAllowed):
    """No key, or one that does not count."""

    code = "wrong-key"
    status = 401
    title_zh = "密钥无效"
    title = "wrong key"


def answer(error: HubError) -> JSONResponse:
    """An error as an answer."""
    headers = {}
    if error.status == 401:
        headers["www-authenticate"] = "Bearer"
    if isinstance(error, Temporary):
        headers["retry-after"] = str(int(error.retry_after or 5))
    return JSONResponse(problem_document(error), error.status, headers, media_type="application/problem+json")


#: What is wrong with a parameter, in Chinese, by pydantic's word for it.
_SAID = {
    "missing": "缺少，必须填写",
    "extra_forbidden": "没有这一项",
    "float_parsing": "须为数字",
    "int_parsing": "须为整数",
    "bool_parsing": "须为 true 或 false",
    "string_type": "须为文字",
    "json_invalid": "不是有效的 JSON",
    "literal_error": "须为以下之一：{expected}",
    "enum": "须为以下之一：{expected}",
    "greater_than_equal": "不能小于 {ge}",
    "less_than_equal": "不能大于 {le}",
    "string_too_long": "最长 {max_length} 字",
    "string_too_short": "至少 {min_length} 字",
    "string_pattern_mismatch": "写法不对",
    "uuid_parsing": "不是有效的编号",
}


def _wrong(one: Mapping[str, Any]) -> dict[str, str]:
    said = _SAID.get(one["type"], "不正确")
    return {
        "where": ".".join(str(part) for part in one["loc"]),
        "what": one["msg"],
        "what_zh": said.format_map(one.get("ctx") or {}) if "{" in said else said,
    }


def install(app: FastAPI) -> None:
    """Every error of the door becomes a problem document."""

    @app.exception_handler(HubError)
    async def _known(_request: Request, error: HubError) -> JSONResponse:
        return answer(error)

    @app.exception_handler(RequestValidationError)
    async def _wrong_call(_request: Request, error: RequestValidationError) -> JSONResponse:
        told = [_wrong(one) for one in error.errors()]
        return JSONResponse(
            {
                "type": PROBLEM_TYPE + "wrong-call",
                "title": "请求参数有误",
                "title_en": "wrong parameters",
                "status": 422,
                "detail": "；".join(f"{one['where']}：{one['what_zh']}" for one in told),
                "detail_en": "; ".join(f"{one['where']}: {one['what']}" for one in told),
                "code": "wrong-call",
                "hint": "各地址的参数见本枢纽的 /docs 或 docs/reference/api.md",
                "hint_en": "every address with its parameters: /docs of this hub, or docs/reference/api.md",
                "errors": told,
            },
            422,
            media_type="application/problem+json",
        )

    @app.exception_handler(HTTPException)
    async def _plain(_request: Request, error: HTTPException) -> JSONResponse:
        titles = {404: "没有这个地址", 405: "不支持该方法"}
        return JSONResponse(
            {
                "type": "about:blank",
                "title": titles.get(error.status_code, str(error.detail)),
                "title_en": str(error.detail),
                "status": error.status_code,
                "code": f"http-{error.status_code}",
            },
            error.status_code,
            error.headers,
            media_type="application/problem+json",
        )

    @app.exception_handler(Exception)
    async def _unknown(request: Request, error: Exception) -> JSONResponse:
        log.error("a request stumbled", action="request_error", path=request.url.path, exc_info=error)
        return answer(HubError("internal error", what_zh="内部错误，已记录"))

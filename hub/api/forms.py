"""Forms are put aside whole before anybody looks at them: here one that is too large is stopped while it comes."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hub.api.bodies import FORM
from hub.api.problems import answer
from hub.bootstrap import Hub
from standards.errors import PayloadTooLarge

_FIELDS = "application/x-www-form-urlencoded"
_MEGABYTE = 1 << 20
#: Fields alone are words that somebody typed; around a file stands as much again at most.
_TYPED_MB = 1


class _TooLarge(Exception):
    """It will not be taken."""


class BoundedForms:
    """A form with a file may be as large as the largest hand-over, one without a megabyte; the rest is not taken."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on, or answer in its place."""
        kind = Headers(scope=scope).get("content-type", "").partition(";")[0].lower() if scope["type"] == "http" else ""
        if kind not in (FORM, _FIELDS):
            await self.app(scope, receive, send)
            return
        most = _TYPED_MB + (_largest_mb(scope) if kind == FORM else 0)
        left, over = most * _MEGABYTE, False

        async def taken() -> Message:
            nonlocal left, over
            message = await receive()
            left -= len(message.get("body", b""))
            over = left < 0
            if over:
                raise _TooLarge
            return message

        async def said(message: Message) -> None:
            if not over:  # what the application makes of it is no answer
                await send(message)

        try:
            await self.app(scope, taken, said)
        except _TooLarge:
            pass
        if over:
            await answer(_refusal(most))(scope, receive, send)


def _largest_mb(scope: Scope) -> int:
    hub: Hub = scope["app"].state.hub
    settings = hub.generations.current().settings
    return max(settings.api.max_body_mb, *(one.max_mb or 0 for one in settings.connections.values()), 0)


def _refusal(most: int) -> PayloadTooLarge:
    return PayloadTooLarge(
        f"more than {most} MB in one form",
        what_zh=f"单次提交的表单超过 {most} MB",
        hint="split the file, or ask the operator to raise api.max_body_mb",
        hint_zh="请分批报送，或请运维调大 api.max_body_mb",
    )

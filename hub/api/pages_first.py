"""Somebody who looks at a page is not kept waiting by what is carried along in bulk."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from hub.api.console.menu import MENUS
from hub.courtesy import courtesy

_FIRST = (*(f"/{room}" for room in MENUS), "/metrics")


class PagesFirst:
    """While a page is made, bulk stands aside (see `hub.courtesy`); not for requests that wait by themselves."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass it on."""
        if scope["type"] != "http" or scope["method"] != "GET" or not scope["path"].startswith(_FIRST):
            await self.app(scope, receive, send)
            return
        with courtesy.asked():
            await self.app(scope, receive, send)

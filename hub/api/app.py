"""The HTTP application: routes, documents that work offline, problem documents."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool
from fastapi_offline import FastAPIOffline

from hub.api import (
    alarms,
    attachments,
    audit,
    cases,
    connections,
    console,
    edits,
    failures,
    keys,
    mailbox,
    metrics,
    operations,
    parcels,
    people,
    problems,
    reconciliations,
    repairs,
    replays,
    reports,
    sharing,
    soap,
    standard,
    submissions,
    tasks,
)
from hub.api.access import Doorkeeper
from hub.api.forms import BoundedForms
from hub.api.pages_first import PagesFirst
from hub.api.waiting import Waiting
from hub.bootstrap import Hub
from standards import tracing

#: What machines ask every few seconds.
_UNTRACED = ("/healthz", "/readyz", "/metrics")


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    await run_in_threadpool(app.state.doorkeeper.looks.stop)


def build(hub: Hub) -> FastAPI:
    """The application of one process."""
    app: FastAPI = FastAPIOffline(
        title="监管数据交换枢纽 Supervision Exchange Hub",
        version="1",
        description=(
            "报送、回执、标准与运维接口。错误以问题文档（RFC 9457）返回，中文在前，英文在后。\n\n"
            "Handing over, receipts, the standard, operations. Errors are problem documents (RFC 9457)."
        ),
        docs_url="/docs",
        redoc_url=None,
        telemetry={
            "tracer_provider": tracing.provider(),
            "tracing": tracing.provider() is not None,
            "metrics": False,
            "logs": False,
            "operation_spans": False,
            "auto_configure": False,
            "exclude": lambda scope: scope.get("path") in _UNTRACED,
        },
        lifespan=_lifespan,
    )
    app.add_middleware(BoundedForms)
    app.add_middleware(PagesFirst)
    app.state.hub = hub
    app.state.doorkeeper = Doorkeeper(hub)
    app.state.waiting = Waiting(hub.states_of)
    problems.install(app)
    app.include_router(submissions.router)
    app.include_router(soap.router)
    app.include_router(mailbox.router)
    app.include_router(parcels.router)
    app.include_router(tasks.router)
    app.include_router(cases.router)
    app.include_router(failures.router)
    app.include_router(alarms.router)
    app.include_router(reconciliations.router)
    app.include_router(reports.router)
    app.include_router(metrics.router)
    app.include_router(replays.router)
    app.include_router(repairs.router)
    app.include_router(edits.router)
    app.include_router(sharing.router)
    app.include_router(parcels.tracing)
    app.include_router(attachments.router)
    app.include_router(connections.router)
    app.include_router(operations.router)
    app.include_router(audit.router)
    app.include_router(keys.router)
    app.include_router(people.router)
    app.include_router(people.entry)
    app.include_router(standard.router)
    for room, router in console.routers():
        app.include_router(router, prefix=f"/{room}", include_in_schema=False)
    return app

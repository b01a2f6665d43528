"""The sender's first page: what she sent, what failed and why, what is due, how she stands, and what to do next."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from hub import mine
from hub.api.console.entry import title_of
from hub.api.console.visit import Page, Viewer, Visit
from hub.api.tasks import desk
from hub.entry import connections
from hub.ledger.cases import Selection
from standards.clock import local_text
from standards.errors import UnknownName
from standards.findings import in_short
from standards.rights import Right
from standards.states import CaseClass

router = APIRouter(route_class=Page)

#: Causes and things to do on the page; the rest is behind a link.
_MOST = 12


@router.get("")
@router.get("/")
def first(visit: Viewer) -> Response:
    """Everything a sender asks in the morning."""
    hub, now = visit.hub, visit.hub.clock.now()
    settings = hub.generations.current().settings
    open_cases = hub.cases().groups(Selection(visit.party))
    tasks = [one for one in desk(hub).find(visit.who, limit=100) if one["assignee"] == visit.party]
    todo = mine.to_do(open_cases, tasks, hub.deadlines.calendar, now)
    with hub.ledger.read() as connection:
        sent = mine.sent(connection, visit.party, now)
        coming = list(mine.coming(connection, settings, visit.party, hub.deadlines, now))
    failed = [one for one in hub.failures().listed(Selection(visit.party), 50) if one["class"] != CaseClass.UNREPORTED]
    standing = hub.standing.of(visit.party)
    return visit.page(
        "mine",
        "overview",
        at=local_text(now),
        todo=[_named(visit, one) for one in todo[:_MOST]],
        more_todo=len(todo) > _MOST,
        coming=[{**one, "title": _dataset(visit, one["dataset"])} for one in coming],
        sent=[_sent(visit, name, sent) for name in sent["week"]],
        failed=[_cause(visit, one) for one in failed[:_MOST]],
        more_failed=len(failed) > _MOST,
        standing=standing,
        own=_own(standing),
        enters=visit.holder.may(Right.HAND_OVER) and bool(connections(settings, visit.party)),
        hands_over=visit.holder.may(Right.HAND_OVER),
        tasks=len(tasks),
    )


def _dataset(visit: Visit, name: str) -> str:
    try:
        return title_of(visit, visit.hub.generations.current().standard.dataset(name))
    except UnknownName:
        return name


def _named(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    if one["kind"] == "task":
        title = one["title_en"] if visit.language == "en" else one["title"]
        return {**one, "what": f"{title} {one['code']}", "link": f"tasks/{one['id']}"}
    about = _dataset(visit, one["dataset"]) if one["dataset"] else ""
    words = (visit.text(f"class_{one['class']}"), about, one["code"], in_short(one["code"], visit.language))
    return {**one, "what": " ".join(word for word in words if word), "link": "cases"}


def _sent(visit: Visit, name: str, sent: dict[str, dict[str, dict[str, int]]]) -> dict[str, Any]:
    return {"title": _dataset(visit, name), "week": sent["week"][name], "today": sent["today"].get(name)}


def _cause(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    english = visit.language == "en"
    sample = one["samples"][0] if one["samples"] else None
    return {
        "dataset": _dataset(visit, one["dataset"]),
        "count": one["count"],
        "since": one["since"],
        "due": one["due_at"] or one["due_missing"],
        "operator": not one["who"],
        "text": (sample["text_en" if english else "text"] if sample else one["note"]) or one["code"],
        "hint": sample["hint_en" if english else "hint"] if sample else one["hint"],
        "receipt": sample["receipt_no"] if sample else "",
    }


def _own(standing: dict[str, Any] | None) -> dict[str, str] | None:
    """The party's own figures in words; a dash where nothing can be told."""
    row = standing["row"] if standing is not None else None
    if row is None:
        return None

    def share(value: float | None) -> str:
        return "—" if value is None else f"{100 * value:.1f}%"

    return {
        "score": "—" if row["score"] is None else f"{row['score']:.1f}",
        "rank": "—" if row["rank"] is None else f"{row['rank']} / {row['ranked']}",
        "error_rate": share(row["error_rate"]),
        "in_time_rate": share(row["in_time_rate"]),
        "disposed_rate": share(row["disposed_rate"]),
    }

"""The desk of reports: the report of a span, 整改通知 and 通报."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from hub.casework import CaseDesk
from hub.dispatch.contents import Contents
from hub.evaluated import Timely, from_counters
from hub.generations import Generations
from hub.ledger import journal, notices
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.notices import ABOVE, Notice
from hub.people.desk import within
from hub.reports import figures
from hub.reports.figures import CaseCounts, Covered, Hours, Key, Volumes
from hub.reports.score import ranks, score, share
from hub.reports.span import Every, Span
from hub.settings import Settings
from hub.vault import Seal
from standards.clock import Clock, local, local_text
from standards.errors import BadRecord, UnknownName
from standards.findings import catalogue, plain

_JUDGED = ("accepted", "rejected", "held", "duplicate")
_ANSWERED = ("delivered", "refused")
_BY_PARTY = ("parties", "datasets", "days", "findings")


@dataclass(slots=True)
class _Sums:
    """Everything that is added up for a party, a region or a data set."""

    counts: Counter[str]
    timely: Timely
    cases: CaseCounts
    hours: Hours

    @classmethod
    def empty(cls) -> _Sums:
        return cls(Counter(), Timely(), CaseCounts(), [])

    def add(self, other: _Sums) -> None:
        self.counts.update(other.counts)
        self.timely.add(other.timely)
        self.cases.add(other.cases)
        self.hours.extend(other.hours)

    def told(self) -> dict[str, Any]:
        """As a row of the report: shares between 0 and 1, hours; None where nobody can tell."""
        handed = sum(self.counts[name] for name in _JUDGED)
        t, c = self.timely, self.cases
        return {
            "handed": handed,
            **{name: self.counts[name] for name in _JUDGED},
            "delivered": self.counts["delivered"],
            "refused": self.counts["refused"],
            "error_rate": share(self.counts["rejected"], handed),
            "in_time_rate": share(t.in_time, t.termed),
            "timeliness": share(t.counted, t.days),
            "receipt_hours_p50": figures.quantile(self.hours, 0.5),
            "receipt_hours_p90": figures.quantile(self.hours, 0.9),
            "cases_opened": c.opened,
            "cases_in_time": c.closed_in_time,
            "cases_late": c.closed_late,
            "cases_overdue": c.overdue,
            "disposed_rate": share(c.closed_in_time, c.closed_in_time + c.closed_late + c.overdue),
        }


@dataclass(slots=True)
class ReportDesk:
    """Reports for the operator, and a party's own standing."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    cases: CaseDesk

    def report(self, every: Every, day: date | None = None, party: str = "", region: str = "") -> dict[str, Any]:
        """The report of the span that holds a day (absent: today).

        `parties`, `regions`, `datasets`, `days`, `findings`: rows of figures; a party is shown its own rows and its
        place among all, a region its parties' and their places among each other (`within` says so).  Shares are
        between 0 and 1; None where nothing can be told.
        """
        span = Span.around(every, day or local(self.clock.now()).date())
        whole = self.ledger.remembered.get(("report", every, span.first), lambda: self._report(span))
        if party:
            return _of_party(whole, party)
        return _of_region(whole, region, self.generations.current().settings) if region else whole

    def _claims(self) -> dict[str, frozenset[str]]:
        """Read from the content of item lists, whatever span is asked for."""
        with self.ledger.read() as connection:
            return figures.claims(connection, Contents(self.seal))

    def _report(self, span: Span) -> dict[str, Any]:
        now = self.clock.now()
        generation = self.generations.current()
        settings, standard = generation.settings, generation.standard
        owners = {one.code: name for name, one in settings.parties.items()}
        claimed = self.ledger.remembered.get("claims", self._claims)
        with self.ledger.read() as connection:
            volumes = figures.volumes(connection, span, (*_JUDGED, *_ANSWERED))
            cases = figures.cases_of(connection, span, now)
            hours = figures.waits(connection, span)
            covered = figures.coverage(connection, span, claimed, owners)
        whole = _sums(volumes, cases, hours)
        titles = {one.id: (one.title, one.title_en or one.title) for one in standard}
        return {
            "every": span.every,
            "title": span.title,
            "first": span.first.isoformat(),
            "last": span.last.isoformat(),
            "hub": settings.hub.title,
            "within": "",
            "made_at": local_text(now),
            "complete": span.end <= now,
            "weights": dict(settings.evaluation.weights),
            "parties": _parties(whole, covered, settings),
            "regions": _regions(whole, settings),
            "datasets": [
                {"party": key[0], "party_title": _title(settings, key[0]), "dataset": key[1]}
                | {**_titles(titles, key[1]), **one.told()}
                for key, one in sorted(whole.items())
                if key[1]
            ],
            "days": _days(volumes, settings),
            "findings": _findings(volumes, titles, settings),
        }

    def rectification(self, party: str) -> dict[str, Any]:
        """整改通知 (articles 45 and 46): what a party must mend, until when.  Raises UnknownName, BadRecord."""
        generation = self.generations.current()
        if party not in generation.settings.parties:
            raise UnknownName.of("party", "单位", party, generation.settings.parties)
        groups = self.cases.groups(Selection(party))
        if not groups:
            raise BadRecord(
                f"{party} has no open case", what_zh=f"{party} 没有未办结的异常", hint_zh="没有需要整改的事项"
            )
        now = self.clock.now()
        due = self.cases.deadlines(now, generation.settings.evaluation.rectify_days)
        return {
            "party": party,
            "party_title": generation.settings.parties[party].title,
            "hub": generation.settings.hub.title,
            "made_at": local_text(now),
            "due_at": local_text(due.at),
            "due_missing": due.missing,
            "working_days": generation.settings.evaluation.rectify_days,
            "cases": [self._named(one) for one in groups],
        }

    def circular(self) -> dict[str, Any]:
        """通报: who is beyond the term with what."""
        generation = self.generations.current()
        return {
            "hub": generation.settings.hub.title,
            "made_at": local_text(self.clock.now()),
            "parties": [
                {
                    "party": party,
                    "party_title": _title(generation.settings, party),
                    "cases": [self._named(one) for one in groups],
                }
                for party, groups in sorted(self.cases.circular().items())
            ],
        }

    def send_rectification(self, party: str, by: str) -> dict[str, Any]:
        """The notice as a message to the party; once a day.  Raises UnknownName, BadRecord."""
        said = self.rectification(party)
        detail = {"code": "rectify", "due": said["due_at"][:10], "cases": sum(one["cases"] for one in said["cases"])}
        sent = self._send([Notice(party, f"rectify:{party}:{said['made_at'][:10]}", "rectify", detail)], by)
        return {**said, "sent": sent}

    def send_circular(self, by: str) -> dict[str, Any]:
        """The circular as a message to everybody in it and to the level above; once a day.  Raises BadRecord."""
        said = self.circular()
        if not said["parties"]:
            raise BadRecord("nothing is overdue", what_zh="没有超期的异常，无须通报")
        about = f"circular:{said['made_at'][:10]}"
        told = [
            Notice(
                one["party"], about, "circular", {"code": "circular", "cases": sum(c["cases"] for c in one["cases"])}
            )
            for one in said["parties"]
        ]
        whole = sum(one.detail["cases"] for one in told)
        told.append(Notice(ABOVE, about, "circular", {"code": "circular", "cases": whole, "parties": len(told)}))
        return {**said, "sent": self._send(told, by)}

    def _send(self, told: list[Notice], by: str) -> int:
        now = self.clock.now()

        def work(connection: Any) -> int:
            new = notices.tell(connection, told, now)
            entries = [
                journal.Entry("case_told", by, None, None, {**one.detail, "says": one.says, "whom": one.whom})
                for one in new
            ]
            journal.append(connection, entries, now)
            for one in new:
                self.cases.events.case(connection, one.about, one.says, one.detail, now)
            return len(new)

        return self.ledger.write(work)

    def _named(self, group: Mapping[str, Any]) -> dict[str, Any]:
        standard = self.generations.current().standard
        return {
            **group,
            "dataset_title": standard.title(group["dataset"]),
            "dataset_title_en": standard.title(group["dataset"], "en"),
        }


def _of_party(whole: Mapping[str, Any], party: str) -> dict[str, Any]:
    """What a party is shown of a report."""
    own = {name: [row for row in whole[name] if row["party"] == party] for name in _BY_PARTY}
    return {**whole, **own, "regions": []}


def _of_region(whole: Mapping[str, Any], region: str, settings: Settings) -> dict[str, Any]:
    """What is shown to who is confined to a region: scores stand by themselves, places are counted anew."""
    mine = {name for name, one in settings.parties.items() if within(one.region or settings.hub.region, region)}
    own = {name: [row for row in whole[name] if row["party"] in mine] for name in _BY_PARTY}
    return {
        **whole,
        **own,
        "parties": _placed([dict(row) for row in own["parties"]]),
        "regions": [row for row in whole["regions"] if within(row["region"], region)],
        "within": region,
    }


def _sums(volumes: Volumes, cases: Mapping[Key, CaseCounts], hours: Mapping[Key, Hours]) -> dict[Key, _Sums]:
    whole: dict[Key, _Sums] = defaultdict(_Sums.empty)
    for key, counts in volumes.sums.items():
        whole[key].counts.update(counts)
        whole[key].timely.add(from_counters(counts))
    for key, some in cases.items():
        whole[key].cases.add(some)
    for key, waited in hours.items():
        whole[key].hours.extend(waited)
    return dict(whole)


def _parties(whole: Mapping[Key, _Sums], covered: Mapping[str, Covered], settings: Settings) -> list[dict[str, Any]]:
    sums: dict[str, _Sums] = defaultdict(_Sums.empty)
    for (party, _), one in whole.items():
        sums[party].add(one)
    weights = {str(name): weight for name, weight in settings.evaluation.weights.items()}
    rows = []
    for party, one in sorted(sums.items()):
        told = one.told()
        items = covered.get(party, Covered())
        shares = {
            "correct": None if told["error_rate"] is None else 1 - told["error_rate"],
            "in_time": told["in_time_rate"],
            "covered": items.share,
            "disposed": told["disposed_rate"],
        }
        rows.append(
            {
                "party": party,
                "party_title": _title(settings, party),
                "region": _region(settings, party),
                **told,
                "items_claimed": len(items.claimed),
                "items_used": len(items.claimed & items.used),
                "coverage": items.share,
                "score": score(shares, weights),
            }
        )
    return _placed(rows)


def _placed(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows with each one's place among them, the best first."""
    for row, rank in zip(rows, ranks([row["score"] for row in rows]), strict=True):
        row["rank"] = rank
        row["ranked"] = sum(1 for other in rows if other["score"] is not None)
    return sorted(rows, key=lambda row: (row["rank"] is None, row["rank"] or 0, row["party"]))


def _regions(whole: Mapping[Key, _Sums], settings: Settings) -> list[dict[str, Any]]:
    sums: dict[str, _Sums] = defaultdict(_Sums.empty)
    for (party, _), one in whole.items():
        sums[_region(settings, party)].add(one)
    return [{"region": region, **one.told()} for region, one in sorted(sums.items())]


def _days(volumes: Volumes, settings: Settings) -> list[dict[str, Any]]:
    return [
        {"day": day, "party": one, "party_title": _title(settings, one)}
        | {name: counts[name] for name in (*_JUDGED, *_ANSWERED)}
        for (day, one), counts in sorted(volumes.days.items())
    ]


def _findings(volumes: Volumes, titles: Mapping[str, tuple[str, str]], settings: Settings) -> list[dict[str, Any]]:
    sums: Counter[tuple[str, str, str]] = Counter()
    for (one, dataset), counts in volumes.sums.items():
        for name, count in counts.items():
            if name.startswith("finding."):
                sums[one, dataset, name.removeprefix("finding.")] += count
    hints = {entry.code: (plain(entry.hint), plain(entry.hint_en)) for entry in catalogue()}
    return [
        {"party": one, "party_title": _title(settings, one), "dataset": dataset}
        | {**_titles(titles, dataset), "code": code, "count": count}
        | dict(zip(("hint", "hint_en"), hints.get(code) or hints.get(code.partition(".")[0], ("", "")), strict=True))
        for (one, dataset, code), count in sums.most_common()
    ]


def _titles(titles: Mapping[str, tuple[str, str]], dataset: str) -> dict[str, str]:
    zh, en = titles.get(dataset, (dataset, dataset))
    return {"title": zh, "title_en": en}


def _title(settings: Settings, party: str) -> str:
    return settings.parties[party].title if party in settings.parties else party


def _region(settings: Settings, party: str) -> str:
    known = settings.parties.get(party)
    return (known.region if known is not None else "") or settings.hub.region

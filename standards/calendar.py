"""Working days of mainland China with 调休.  A year that is not known raises CalendarMissing; it is never guessed."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import chinese_calendar

from standards.errors import BadConfiguration, CalendarMissing

_DAY = timedelta(days=1)
#: First year the package `chinesecalendar` knows.
_FIRST = 2004

Day = TypeVar("Day", date, datetime)


class WorkCalendar:
    """Tells working days from days off.

    The operator's folder wins over the files here, year by year; years before the first file here come from
    the package `chinesecalendar`.
    """

    def __init__(self, folder: Path | None = None) -> None:
        #: Day off (False) or worked (True), where it differs from the plain week.
        self._moved: dict[date, bool] = {}
        self._known: set[int] = set()
        built_in = _year_files(Path(str(files("standards") / "calendars")))
        own = _year_files(folder) if folder is not None else {}
        self._first_file = min(built_in)
        problems: list[str] = []
        # A later year's notice also moves days of the December before: read in the order of years.
        for year, file in sorted({**built_in, **own}.items()):
            try:
                self._read(year, file)
            except (ValueError, KeyError, TypeError, OSError) as error:
                problems.append(f"{file}: {error}")
        if problems:
            raise BadConfiguration("; ".join(problems), what_zh="年历文件有误：" + "；".join(problems))

    def _read(self, year: int, file: Path) -> None:
        days = _toml_days(file) if file.suffix == ".toml" else _json_days(file, year)
        if any(day.year == year for day in days):
            self._known.add(year)
        if strange := [day for day in days if not date(year - 1, 12, 1) <= day <= date(year, 12, 31)]:
            raise ValueError(f"{strange[0]} does not belong into the file of {year}")
        self._moved.update(days)

    def is_known(self, year: int) -> bool:
        """Whether the working days of that year are known."""
        return year in self._known or _FIRST <= year < self._first_file

    def last_known_year(self) -> int:
        """The last year whose working days are known."""
        return max(self._known)

    def is_workday(self, day: date) -> bool:
        """Whether that day is worked.  Raises CalendarMissing when its year is not known."""
        if isinstance(day, datetime):
            day = day.date()
        if not self.is_known(day.year):
            raise CalendarMissing(day.year)
        moved = self._moved.get(day)
        if moved is not None:
            return moved
        if day.year < self._first_file and day.year not in self._known:
            return bool(chinese_calendar.is_workday(day))
        return day.weekday() < 5

    def add_working_days(self, start: Day, days: int) -> Day:
        """The moment `days` working days after `start`, whose own day does not count; the time of day stays.

        Five working days after a Monday is the Monday after; after a Saturday it is the Friday after.
        """
        if days < 0:
            raise ValueError("working days are counted forward only")
        end = start
        while days:
            end += _DAY
            days -= self.is_workday(end)
        return end

    def working_days_between(self, start: date, end: date) -> int:
        """How many working days lie after the day of `start`, up to and with the day of `end`."""
        first, last = _plain(start), _plain(end)
        if last < first:
            raise ValueError(f"{last} is before {first}")
        return sum(self.is_workday(first + _DAY * i) for i in range(1, (last - first).days + 1))


def _plain(day: date) -> date:
    return day.date() if isinstance(day, datetime) else day


def _year_files(folder: Path) -> dict[int, Path]:
    found = {}
    for file in sorted(folder.iterdir()):
        if file.suffix in (".json", ".toml") and file.stem.isdigit():
            found[int(file.stem)] = file
    return found


def _json_days(file: Path, year: int) -> dict[date, bool]:
    """The format of holiday-cn: days with `date` and `isOffDay`."""
    held = json.loads(file.read_text(encoding="utf-8"))
    if int(held["year"]) != year:
        raise ValueError(f"the file says year {held['year']}")
    return {date.fromisoformat(day["date"]): not day["isOffDay"] for day in held["days"]}


def _toml_days(file: Path) -> dict[date, bool]:
    """The operator's format: `holidays`, `workdays` and the `source` they were taken from."""
    held = tomllib.loads(file.read_text(encoding="utf-8"))
    if unknown := set(held) - {"holidays", "workdays", "source"}:
        raise ValueError(f"unknown words {sorted(unknown)}")
    if not str(held.get("source", "")).strip():
        raise ValueError("'source' is missing: name the notice the days were taken from")
    return {**_dates(held.get("holidays", []), False), **_dates(held.get("workdays", []), True)}


def _dates(days: Iterable[object], worked: bool) -> dict[date, bool]:
    result = {}
    for day in days:
        if isinstance(day, datetime) or not isinstance(day, date | str):
            raise ValueError(f"{day!r} is not a date")
        result[day if isinstance(day, date) else date.fromisoformat(day)] = worked
    return result

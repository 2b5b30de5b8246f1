"""Understands a time as an operator types it. No Qt."""

import re
from datetime import datetime, timedelta, tzinfo

from hmi.core.clock import DAY, from_datetime, to_datetime
from hmi.core.duration import parse_duration
from hmi.trend.axes import MONTHS, WEEKDAYS

FORMS = "02:50, 14:02:31, yesterday 14:00, Tue 14:02, 17 Nov 14:02, 2026-11-17 14:02:31, -10 min"

_CLOCK = r"(?P<h>\d{1,2}):(?P<m>\d{2})(?::(?P<s>\d{2}))?"
_ISO = re.compile(rf"(?P<year>\d{{4}})-(?P<month>\d{{1,2}})-(?P<day>\d{{1,2}})(?:[ T]+{_CLOCK})?")
_DAY_NAME = re.compile(rf"(?P<name>[a-z]{{3,9}}),?(?: +{_CLOCK})?")
_DAY_MONTH = re.compile(rf"(?P<day>\d{{1,2}})\.? +(?P<name>[a-z]{{3,9}})(?: +(?P<year>\d{{4}}))?(?: +{_CLOCK})?")
_ONLY_CLOCK = re.compile(_CLOCK)
_BACK = re.compile(r"-\s*(?P<minus>[\d.]+ ?[a-z]+)|(?P<ago>[\d.]+ ?[a-z]+) +ago")


def parse_time(text: str, now_us: int, zone: tzinfo) -> int | None:
    """The time meant, microseconds UTC, never later than now; None where it is no time.

    A time of day without a date is the last one that has passed. A summer time that happens twice is the first.
    """
    words = " ".join(text.strip().lower().split())
    now = to_datetime(now_us, zone)
    try:
        return _parse(words, now, now_us, zone)
    except ValueError:
        # A day such as 31 February, or an hour such as 25.
        return None


def _parse(words: str, now: datetime, now_us: int, zone: tzinfo) -> int | None:
    if words == "now":
        return now_us
    if match := _BACK.fullmatch(words):
        return now_us - parse_duration(match["minus"] or match["ago"])
    if match := _ONLY_CLOCK.fullmatch(words):
        at = _at(now, match, zone)
        return at if at <= now_us else _at(now - timedelta(days=1), match, zone)
    if match := _ISO.fullmatch(words):
        day = now.replace(year=int(match["year"]), month=int(match["month"]), day=int(match["day"]))
        return _past(_at(day, match, zone), now_us)
    if match := _DAY_NAME.fullmatch(words):
        name = match["name"]
        if name in ("today", "yesterday"):
            return _past(_at(now - timedelta(days=int(name == "yesterday")), match, zone), now_us)
        weekday = _index(WEEKDAYS, name, ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"))
        if weekday is None:
            return None
        back = (now.weekday() - weekday) % 7
        at = _at(now - timedelta(days=back), match, zone)
        return at if at <= now_us else at - 7 * DAY
    if match := _DAY_MONTH.fullmatch(words):
        month = _index(MONTHS, match["name"])
        if month is None:
            return None
        year = int(match["year"] or now.year)
        day = now.replace(year=year, month=month + 1, day=int(match["day"]))
        at = _at(day, match, zone)
        if at > now_us and not match["year"]:
            at = _at(day.replace(year=year - 1), match, zone)
        return _past(at, now_us)
    return None


def _at(day: datetime, match: "re.Match[str]", zone: tzinfo) -> int:
    hour, minute, second = (int(match[k] or 0) for k in ("h", "m", "s"))
    return from_datetime(
        datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=zone)
    )


def _past(at: int, now_us: int) -> int | None:
    return at if at <= now_us else None


def _index(names: tuple[str, ...], word: str, whole: tuple[str, ...] = ()) -> int | None:
    for i, name in enumerate(names):
        if word == name.lower() or (whole and word == whole[i]):
            return i
    return None

"""Times as people type them, and as they are shown."""

import re
from datetime import date, datetime, timedelta, tzinfo

from hmi.core.clock import from_datetime, to_datetime
from hmi.core.duration import parse_duration

FORMS = "14:02, 14:02:31, yesterday 14:00, tue 14:00, 2026-11-17 14:02:31, 2026-11-17T14:02:31+01:00, -2h, now"
"""What may be typed, for hints."""

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"^(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,6}))?)?$")


def parse_moment(text: str, zone: tzinfo, now_us: int) -> int:
    """Microseconds UTC of a typed time, local to the plant unless it names an offset.

    A time of day alone is the last such time before now. Where clocks are put back, the first of the two is meant.
    Raises `ValueError`, naming the forms.
    """
    typed = text.strip().lower()
    now = to_datetime(now_us, zone)
    if typed in ("now", ""):
        if not typed:
            raise ValueError(f"no time was typed; there are: {FORMS}")
        return now_us
    if typed.startswith("-"):
        try:
            return now_us - parse_duration(typed[1:].strip())
        except ValueError as error:
            raise ValueError(f"'{text}' is not a time before now: {error}") from None
    day, _, clock = typed.rpartition(" ")
    parsed = _CLOCK.match(clock)
    if parsed:
        on = _day(day.strip(), now.date())
        if on is not None:
            hour, minute, second = int(parsed[1]), int(parsed[2]), int(parsed[3] or 0)
            fraction = int((parsed[4] or "0").ljust(6, "0"))
            if hour > 23 or minute > 59 or second > 59:
                raise ValueError(f"'{clock}' is not a time of day")
            moment = datetime(on.year, on.month, on.day, hour, minute, second, fraction, tzinfo=zone)
            if not day and moment > now:
                moment -= timedelta(days=1)
            return from_datetime(moment)
    alone = _day(typed, now.date()) if typed else None
    if alone is not None:
        return from_datetime(datetime(alone.year, alone.month, alone.day, tzinfo=zone))
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f"'{text}' is not a time; there are: {FORMS}") from None
    return from_datetime(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _day(word: str, today: date) -> date | None:
    """The day that a word names, looking back; None where it names none."""
    if word in ("", "today"):
        return today
    if word == "yesterday":
        return today - timedelta(days=1)
    if word[:3] in _DAYS and word in (word[:3], *(d for d in _FULL if d.startswith(word[:3]))):
        back = (today.weekday() - _DAYS.index(word[:3])) % 7
        return today - timedelta(days=back)
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def iso(time_us: int, zone: tzinfo) -> str:
    """`2026-11-17T14:02:31.250000+01:00`: exact, and readable by a spreadsheet, a database and a person."""
    return to_datetime(time_us, zone).isoformat(timespec="microseconds")


def span_words(duration_us: int) -> str:
    """A duration in words: `13 s`, `9 min 32 s`, `1 h 23 min`, `4 d 2 h`."""
    seconds = max(0, duration_us) // 1_000_000
    if seconds < 60:
        return f"{seconds} s"
    minutes, seconds = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {seconds} s" if minutes < 10 and seconds else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours} h" if hours else f"{days} d"

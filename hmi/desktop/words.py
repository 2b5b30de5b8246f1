"""Times, ages, values and alarms as an operator reads them. No Qt."""

import re
from datetime import tzinfo

from hmi.core.alarm import Alarm, AlarmKind, AlarmRule, AlarmState
from hmi.core.binding import Text
from hmi.core.clock import DAY, to_datetime
from hmi.core.plant import Plant
from hmi.core.session import HistorianState, Session
from hmi.core.table import Table
from hmi.core.tag import Tag
from hmi.trend.axes import MONTHS, WEEKDAYS

STATE_WORDS = {
    AlarmState.NORMAL: "Normal",
    AlarmState.UNACKNOWLEDGED: "Active, unacknowledged",
    AlarmState.ACKNOWLEDGED: "Active, acknowledged",
    AlarmState.RETURNED: "Returned, unacknowledged",
}


def clock_text(time_us: int, zone: tzinfo) -> str:
    """`03:12:44`."""
    return f"{to_datetime(time_us, zone):%H:%M:%S}"


def long_date(time_us: int, zone: tzinfo) -> str:
    """`Fri 20 Nov 2026`. English whatever the computer's language is, like everything else on the screen."""
    moment = to_datetime(time_us, zone)
    return f"{WEEKDAYS[moment.weekday()]} {moment.day} {MONTHS[moment.month - 1]} {moment.year}"


def full_time(time_us: int, zone: tzinfo) -> str:
    """`2026-11-20 03:12:44`: what the time field shows and takes."""
    return f"{to_datetime(time_us, zone):%Y-%m-%d %H:%M:%S}"


def near_time(time_us: int, now_us: int, zone: tzinfo, millis: bool = False) -> str:
    """As short as it can be understood: `03:03:12` today, `Thu 22:14:06` within a week, else with its date."""
    moment, now = to_datetime(time_us, zone), to_datetime(now_us, zone)
    clock = f"{moment:%H:%M:%S}" + (f".{moment.microsecond // 1000:03d}" if millis else "")
    if moment.date() == now.date():
        return clock
    if abs(now_us - time_us) < 6 * DAY:
        return f"{WEEKDAYS[moment.weekday()]} {clock}"
    return f"{moment:%Y-%m-%d} {clock}"


def with_unit(number: str, unit: str) -> str:
    return f"{number} {unit}".strip() if number else ""


def value_text(tag: Tag, value: object) -> str:
    """A value of the tag with its unit; texts and truth values as they are named."""
    if isinstance(value, bool):
        return tag.format(float(value))
    if isinstance(value, int | float):
        return with_unit(tag.format(float(value)), tag.unit)
    return "" if value is None else str(value)


def shown_value(tag: Tag, table: Table) -> str:
    """What the table holds of a tag, with unit."""
    text = table.text[tag.index]
    return with_unit(tag.format(float(table.value[tag.index]), None if text is None else str(text)), tag.unit)


def plain_text(text: Text) -> str:
    """A title without the values in it."""
    return "".join(piece for piece in text.pieces if isinstance(piece, str)).strip()


def limit_text(rule: AlarmRule, plant: Plant) -> str:
    """`> 4.50`: what stands in a list beside the value. Empty where the alarm has no limit."""
    if not rule.kind.letters or rule.tag < 0:
        return ""
    sign = ">" if rule.kind in (AlarmKind.HIGH, AlarmKind.HIGH_HIGH) else "<"
    return f"{sign} {plant.tags[rule.tag].format(rule.limit)}"


def alarm_title(rule: AlarmRule, plant: Plant) -> str:
    """`LT-250 Clear-water tank level`: what the alarm is about."""
    if rule.tag >= 0 and plant.tags[rule.tag].description:
        return f"{rule.source} {plant.tags[rule.tag].description}"
    return rule.source


def unknown_alarms(session: Session) -> str:
    """Why there is no alarm to be shown at a time of the past at which none is known."""
    if session.health.historian.state is HistorianState.DOWN:
        return "Alarms not known: history cannot be read"
    return "Alarms not recorded at this time"


def text_beside_source(rule: AlarmRule) -> str:
    """The alarm's text where tag or device stand beside it: `UA-1 (Zones): no communication` is `No communication`."""
    rest = re.sub(rf"^{re.escape(rule.source)}( \([^)]*\))?: *", "", rule.text)
    return rest[:1].upper() + rest[1:] if rest != rule.text else rule.text


def alarm_message(rule: AlarmRule, alarm: Alarm, plant: Plant) -> str:
    """One line for the banner: `LT-250 Clear-water tank: level high, 4.62 m above 4.50 m`."""
    named = rule.source.split(".")[0] in rule.text
    line = rule.text if named else f"{rule.source} {rule.text}"
    if rule.tag < 0 or not rule.kind.letters or alarm.value != alarm.value:
        return line
    tag = plant.tags[rule.tag]
    side = "above" if rule.kind in (AlarmKind.HIGH, AlarmKind.HIGH_HIGH) else "below"
    return f"{line}, {value_text(tag, alarm.value)} {side} {value_text(tag, rule.limit)}"

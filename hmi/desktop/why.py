"""Why a value is what it is: where it was read, when, how it was made, what became of the last writes. No Qt."""

from collections.abc import Iterable

from hmi.core.clock import SECOND
from hmi.core.command import Write, WriteState
from hmi.core.duration import duration_text
from hmi.core.event import Event, EventKind
from hmi.core.moment import span_words
from hmi.core.session import Session
from hmi.core.status import name_of, quality_of
from hmi.core.tag import Tag
from hmi.desktop.words import near_time, value_text, with_unit
from hmi.trend.statistics import QUALITY_WORDS

_ENDS = (EventKind.WRITE_CONFIRMED, EventKind.WRITE_REFUSED, EventKind.WRITE_FAILED, EventKind.WRITE_UNKNOWN)

Row = tuple[str, str]


def short_age(duration_us: int) -> str:
    """Tenths of a second while it is young."""
    return f"{max(duration_us, 0) / SECOND:.1f} s" if duration_us < 10 * SECOND else span_words(duration_us)


def why_rows(session: Session, tag: Tag, events: Iterable[Event] = ()) -> list[Row]:
    """What the faceplate tells under 'Why this value?'."""
    table, i, now = session.table, tag.index, session.now_us()
    zone = session.plant.zone
    status, time_us = int(table.status[i]), int(table.time_us[i])
    quality = quality_of(status)
    text = table.text[i]
    number = tag.format(float(table.value[i]), None if text is None else str(text)) if quality.has_value else ""
    shown = with_unit(number, tag.unit) or "no value"
    age = f", {short_age(now - time_us)} old" if time_us else ""
    rows = [("Shown", f"{shown}, {QUALITY_WORDS[quality]} ({name_of(status)}, 0x{status:08X}){age}")]
    if time_us:
        delay = int(table.delay_us[i])
        received = f", received {delay / 1000:.0f} ms later" if delay > 0 else ""
        if delay < 0:
            # Two samples of one tag never share a time, so after a jump of the clock one is told later than it came.
            received = f", received {-delay / 1000:.0f} ms earlier: the clock had jumped"
        rows.append(("Source time", near_time(time_us, now, zone, millis=True) + received))
    rows += _origin_rows(session, tag)
    if tag.scale is not None:
        offset = f" {'+' if tag.scale.offset >= 0 else '−'} {abs(tag.scale.offset):g}" if tag.scale.offset else ""
        rows.append(("Scaled", f"raw × {tag.scale.factor:g}{offset}" + (f" to {tag.unit}" if tag.unit else "")))
    rows.append(("Passed", _intake(tag)))
    writes = write_lines(session, tag, events)
    if writes:
        rows.append(("Last writes", "\n".join(writes)))
    return rows


def _origin_rows(session: Session, tag: Tag) -> list[Row]:
    if tag.expression is not None:
        return [("Computed", tag.expression)]
    if tag.device is None:
        return []
    device = next((d for d in session.plant.devices if d.name == tag.device), None)
    if device is None:
        return [("Read from", f"{tag.device}, {tag.address}")]
    about = f" ({device.description})" if device.description else ""
    rows = [("Read from", f"{device.name}{about}, {device.driver}, {tag.address}")]
    rows.append(("Read every", duration_text(tag.period_us) + f", as {tag.data_type.value}"))
    health = next((h for h in session.health.devices if h.name == device.name), None)
    if health is not None:
        why = f": {health.why}" if health.why else ""
        rows.append(("Device", f"{health.state.value}{why}"))
    return rows


def _intake(tag: Tag) -> str:
    words = []
    if tag.low is not None and tag.high is not None:
        words.append(f"range {tag.format(tag.low)} to {tag.format(tag.high)}")
    words.append(f"deadband {tag.deadband:g}" if tag.deadband else "every change")
    words.append(f"at least every {duration_text(tag.heartbeat_us)}")
    return ", ".join(words)


def write_lines(session: Session, tag: Tag, events: Iterable[Event] = (), most: int = 3) -> list[str]:
    """The newest writes to a tag or its setpoint, newest first."""
    names = {tag.name, tag.setpoint}
    now, zone = session.now_us(), session.plant.zone
    lines: list[tuple[int, str]] = []
    known: set[str] = set()
    for write in session.writes:
        if write.tag in names:
            known.add(write.id)
            line = (
                f"{near_time(write.requested_us, now, zone)} {write.who}, {written(session, write)}, {outcome(write)}"
            )
            lines.append((write.requested_us, line))
    lines += [
        (event.time_us, f"{near_time(event.time_us, now, zone)} {event.who} {event.text}")
        for event in events
        if event.source in names and event.kind in _ENDS and event.key not in known
    ]
    return [line for _, line in sorted(lines, reverse=True)[:most]]


def written(session: Session, write: Write) -> str:
    """The value of a write as the tag shows it."""
    index = session.plant.tag_index.get(write.tag)
    return value_text(session.plant.tags[index], write.value) if index is not None else str(write.value)


def outcome(write: Write) -> str:
    """One word, how long it took, and the reason where there is one."""
    if write.state is WriteState.PENDING:
        return "pending"
    if write.state is WriteState.CONFIRMED:
        return f"confirmed in {(write.ended_us - write.requested_us) / SECOND:.1f} s"
    word = {WriteState.REFUSED: "refused", WriteState.FAILED: "failed"}.get(write.state, "not confirmed by the device")
    return f"{word}: {write.why}" if write.why else word

"""Makes tags from what the files say, and judges them together: names, ranges, devices, derived tags, addresses."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hmi.config.code import Code
from hmi.config.entry import TagEntry
from hmi.config.excused import Excused
from hmi.config.report import Report
from hmi.config.tag_files import Written
from hmi.core.clock import MINUTE, SECOND
from hmi.core.device import Device, DriverKind
from hmi.core.expression import ExpressionError, compile_expression
from hmi.core.problem import Spelling, did_you_mean
from hmi.core.tag import DataType, Scale, Tag, WriteRule

MAX_TAGS = 200_000
_WHOLE = frozenset(DataType) - {DataType.FLOAT32, DataType.FLOAT64, DataType.TEXT, DataType.BOOL}
# A read-back may differ by half a raw step, and by what a 32-bit number cannot hold.
_HALF_STEP = 0.51
_FLOAT32_STEP = 1e-6


@dataclass(frozen=True)
class Known:
    """The tags that the files name, right or wrong, so that one mistake is not reported twice."""

    tags: tuple[Tag, ...]
    written: tuple[Written, ...]
    excused: Excused

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(one.name for one in self.written)

    @cached_property
    def spelling(self) -> Spelling:
        return Spelling(one.name for one in self.written)


def make_tags(
    written: Sequence[Written],
    devices: Mapping[str, Device | None],
    period_us: int,
    excused: Excused,
    report: Report,
) -> Known:
    """Tags in the order of the files. `devices` maps every name of plant.yaml, to None where its entry is wrong."""
    first: dict[str, Written] = {}
    for one in written:
        before = first.setdefault(one.name, one)
        if before is not one:
            hint = f"the first is at {before.origin.at('name')}"
            report.error(one.origin.at("name"), Code.DEFINED_TWICE, f"tag '{one.name}' is defined twice", hint)
        elif one.name in devices:
            report.error(one.origin.at("name"), Code.DEFINED_TWICE, f"'{one.name}' is already the name of a device")
    unique = tuple(first.values())
    spelling = Spelling(first)
    if len(unique) > MAX_TAGS:
        report.error(unique[MAX_TAGS].origin.at("name"), Code.FILE_TOO_LARGE, f"more than {MAX_TAGS} tags")
        return Known((), (), excused)
    tags = tuple(
        _make(one, index, devices, period_us, first, spelling, excused, report) for index, one in enumerate(unique)
    )
    _check_was(unique, first, report)
    _check_derived(tags, unique, first, spelling, excused, report)
    return Known(tags, unique, excused)


def _make(
    one: Written,
    index: int,
    devices: Mapping[str, Device | None],
    period_us: int,
    known: Mapping[str, Written],
    spelling: Spelling,
    excused: Excused,
    report: Report,
) -> Tag:
    entry, origin = one.entry, one.origin
    device = devices.get(entry.device) if entry.device is not None else None
    derived = entry.expr is not None
    data_type = entry.type or (DataType.FLOAT64 if derived else DataType.FLOAT32)
    _check_source(one, devices, report)
    scale = _scale(one, data_type, report)
    _check_ranges(one, report)
    _check_states(one, data_type, scale, report)
    for column, other in (("setpoint", entry.setpoint), ("readback", entry.readback)):
        if other is not None and other not in known and not excused.covers(other):
            hint = did_you_mean(other, spelling)
            report.error(origin.at(column), Code.TAG_UNKNOWN, f"unknown tag '{other}'", hint)
    return Tag(
        name=one.name,
        index=index,
        data_type=data_type,
        description=entry.description,
        unit=entry.unit,
        decimals=entry.decimals,
        device=None if derived else entry.device,
        address=entry.address,
        period_us=entry.period or (device.period_us if device is not None else period_us),
        scale=scale,
        low=entry.low,
        high=entry.high,
        normal=_normal(entry),
        setpoint=entry.setpoint,
        states=entry.states,
        on=entry.on,
        deadband=entry.deadband,
        heartbeat_us=entry.heartbeat or MINUTE,
        write=_write_rule(one, data_type, scale, known, report),
        expression=_without_sign(entry.expr),
        was=entry.was,
        area=entry.area,
    )


def _without_sign(expression: str | None) -> str | None:
    return None if expression is None else expression.strip().removeprefix("=").strip()


def _normal(entry: TagEntry) -> tuple[float, float] | None:
    if entry.normal_low is None or entry.normal_high is None:
        return None
    return entry.normal_low, entry.normal_high


def _check_source(one: Written, devices: Mapping[str, Device | None], report: Report) -> None:
    entry, origin = one.entry, one.origin
    if entry.expr is not None:
        said = entry.model_fields_set
        for column in ("device", "address", "write", "raw_low", "raw_high", "scale", "offset"):
            if column in said and getattr(entry, column):
                message = f"a derived tag has no '{column}'"
                report.error(origin.at(column), Code.WRONG_VALUE, message, "take away this, or expr")
        if entry.type is DataType.TEXT:
            report.error(origin.at("type"), Code.WRONG_VALUE, "a derived tag is a number, not a text")
    elif entry.device is None:
        hint = "name a device of plant.yaml, or give an expression in 'expr'"
        report.error(origin.at("device"), Code.KEY_MISSING, f"tag '{one.name}' has no device", hint)
    elif entry.device not in devices:
        hint = did_you_mean(entry.device, devices)
        report.error(origin.at("device"), Code.DEVICE_UNKNOWN, f"unknown device '{entry.device}'", hint)
    elif not entry.address:
        report.error(origin.at("address"), Code.KEY_MISSING, f"tag '{one.name}' has no address")


def _scale(one: Written, data_type: DataType, report: Report) -> Scale | None:
    entry, origin = one.entry, one.origin
    by_range = entry.raw_low is not None or entry.raw_high is not None
    by_factor = entry.scale is not None or entry.offset is not None
    if not by_range and not by_factor:
        return None
    column = "raw_low" if entry.raw_low is not None else "raw_high" if by_range else "scale"
    if data_type in (DataType.BOOL, DataType.TEXT):
        report.error(origin.at(column), Code.WRONG_VALUE, f"a {data_type} tag cannot be scaled")
        return None
    if by_range and by_factor:
        message = "raw_low/raw_high and scale/offset are two ways to say the same"
        report.error(origin.at(column), Code.WRONG_VALUE, message, "keep one of them")
        return None
    if by_factor:
        if entry.scale == 0:
            report.error(origin.at("scale"), Code.WRONG_VALUE, "scale must not be 0")
            return None
        return Scale(1.0 if entry.scale is None else entry.scale, entry.offset or 0.0)
    if entry.raw_low is None or entry.raw_high is None or entry.low is None or entry.high is None:
        message = "raw_low, raw_high, low and high belong together; one of them is missing"
        report.error(origin.at(column), Code.KEY_MISSING, message)
        return None
    if entry.raw_low == entry.raw_high:
        report.error(origin.at("raw_high"), Code.RANGE, "raw_high must differ from raw_low")
        return None
    factor = (entry.high - entry.low) / (entry.raw_high - entry.raw_low)
    return Scale(factor, entry.low - entry.raw_low * factor)


def _check_ranges(one: Written, report: Report) -> None:
    entry, origin = one.entry, one.origin
    for lower, upper in (("low", "high"), ("normal_low", "normal_high"), ("write_low", "write_high")):
        a, b = getattr(entry, lower), getattr(entry, upper)
        if a is not None and b is not None and a >= b:
            report.error(origin.at(upper), Code.RANGE, f"{upper} ({b:g}) must be above {lower} ({a:g})")
    if (entry.normal_low is None) != (entry.normal_high is None):
        said = "normal_low" if entry.normal_high is None else "normal_high"
        report.error(origin.at(said), Code.KEY_MISSING, "normal_low and normal_high belong together")
    for column in ("normal_low", "normal_high", "write_low", "write_high"):
        value = getattr(entry, column)
        if value is None:
            continue
        if (entry.low is not None and value < entry.low) or (entry.high is not None and value > entry.high):
            low = "" if entry.low is None else f"{entry.low:g}"
            high = "" if entry.high is None else f"{entry.high:g}"
            report.error(origin.at(column), Code.RANGE, f"{column} ({value:g}) lies outside {low}..{high}")


def _check_states(one: Written, data_type: DataType, scale: Scale | None, report: Report) -> None:
    entry = one.entry
    if entry.states and (scale is not None or (data_type is not DataType.BOOL and data_type not in _WHOLE)):
        what = "a scaled tag" if scale is not None else f"a {data_type} tag"
        hint = "set type to bool or to a whole number such as uint16"
        report.error(one.origin.at("states"), Code.WRONG_TYPE, f"{what} has no states", hint)
    if entry.states and "on" in entry.model_fields_set:
        for value in entry.on:
            if value not in entry.states:
                message = f"'on' names {value}, which is not among the states"
                report.error(one.origin.at("on"), Code.WRONG_VALUE, message)


def _write_rule(
    one: Written, data_type: DataType, scale: Scale | None, known: Mapping[str, Written], report: Report
) -> WriteRule | None:
    entry, origin = one.entry, one.origin
    if not entry.write:
        for column in ("write_low", "write_high", "write_confirm", "readback", "write_timeout"):
            if getattr(entry, column):
                hint = "set write to yes, or take this away"
                report.error(origin.at(column), Code.WRONG_VALUE, f"'{column}' of a tag that is not written", hint)
                break
        return None
    low = entry.low if entry.write_low is None else entry.write_low
    high = entry.high if entry.write_high is None else entry.write_high
    numeric = data_type not in (DataType.BOOL, DataType.TEXT) and not entry.states
    if numeric and (low is None or high is None) and entry.expr is None:
        message = f"any number may be written to '{one.name}'"
        report.warning(
            origin.at("write"), Code.NO_WRITE_RANGE, message, "give write_low and write_high, or low and high"
        )
    tolerance = 0.0 if scale is None else abs(scale.factor) * _HALF_STEP
    if data_type is DataType.FLOAT32:
        tolerance += max(abs(low or 0.0), abs(high or 0.0)) * _FLOAT32_STEP
    other = known.get(entry.readback) if entry.readback is not None else None
    if other is not None:
        tolerance = max(tolerance, other.entry.deadband)
    timeout_us = entry.write_timeout or 5 * SECOND
    return WriteRule(low, high, entry.write_confirm, entry.readback, tolerance, timeout_us)


def _check_was(written: Sequence[Written], known: Mapping[str, Written], report: Report) -> None:
    claimed: dict[str, Written] = {}
    for one in written:
        was = one.entry.was
        if was is None:
            continue
        if was in known:
            message = f"'{was}' is still a tag; two tags cannot share one history"
            report.error(one.origin.at("was"), Code.DEFINED_TWICE, message)
        elif was in claimed:
            message = f"'{was}' is already the former name of '{claimed[was].name}'"
            report.error(one.origin.at("was"), Code.DEFINED_TWICE, message)
        claimed[was] = one


def _check_derived(
    tags: Sequence[Tag],
    written: Sequence[Written],
    known: Mapping[str, Written],
    spelling: Spelling,
    excused: Excused,
    report: Report,
) -> None:
    index = {tag.name: tag.index for tag in tags}
    uses: dict[str, tuple[str, ...]] = {}
    for tag, one in zip(tags, written, strict=True):
        if tag.expression is None or one.entry.expr is None:
            continue
        lead = one.entry.expr.index(tag.expression) if tag.expression else 0
        try:
            expression = compile_expression(tag.expression)
        except ExpressionError as error:
            report.error(one.origin.at("expr", error.column + lead), Code.EXPRESSION, str(error), error.hint)
            continue
        uses[tag.name] = expression.tags
        for name in expression.tags:
            offset = one.entry.expr.find(name)
            if excused.covers(name):
                continue
            if name not in known:
                hint = did_you_mean(name, spelling)
                report.error(one.origin.at("expr", offset), Code.TAG_UNKNOWN, f"unknown tag '{name}'", hint)
            elif tags[index[name]].data_type is DataType.TEXT:
                message = f"'{name}' is a text; an expression needs numbers"
                report.error(one.origin.at("expr", offset), Code.TAG_UNFIT, message)
    for name in _circular(uses):
        place = known[name].origin.at("expr")
        report.error(place, Code.CIRCLE, f"'{name}' depends on itself, by way of {' and '.join(uses[name])}")


def _circular(uses: Mapping[str, Sequence[str]]) -> list[str]:
    """The derived tags that reach themselves: what is left when all others are taken away."""
    left = dict(uses)
    while True:
        free = [name for name, others in left.items() if not any(other in left for other in others)]
        if not free:
            break
        for name in free:
            del left[name]
    # What only hangs on a circle is no part of it.
    while True:
        used = {other for others in left.values() for other in others}
        hanging = [name for name in left if name not in used]
        if not hanging:
            return list(left)
        for name in hanging:
            del left[name]


def check_addresses(
    known: Known, devices: Mapping[str, Device | None], drivers: Mapping[str, DriverKind], report: Report
) -> None:
    """Let each driver judge the addresses of its devices' tags."""
    by_device: dict[str, list[Tag]] = {}
    for tag in known.tags:
        if tag.device is not None and tag.address:
            by_device.setdefault(tag.device, []).append(tag)
    origin = {one.name: one.origin for one in known.written}
    for name, tags in by_device.items():
        device = devices.get(name)
        if device is None:
            continue
        for fault in drivers[device.driver].check(device.options, tags):
            report.error(origin[fault.tag].at("address"), Code.ADDRESS, fault.message, fault.fix)

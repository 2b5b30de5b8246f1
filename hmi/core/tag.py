"""A tag: one named quantity of the plant, where it is read, how it is shown and what may be written to it."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from hmi.core.clock import MINUTE, SECOND


class Lane(StrEnum):
    """The column in which values of a tag travel and are stored. Follows the declared type, never the value."""

    FLOAT = "float"
    INT = "int"
    BOOL = "bool"
    TEXT = "text"


class DataType(StrEnum):
    """How the device holds the value."""

    BOOL = "bool"
    INT16 = "int16"
    UINT16 = "uint16"
    INT32 = "int32"
    UINT32 = "uint32"
    INT64 = "int64"
    UINT64 = "uint64"
    FLOAT32 = "float32"
    FLOAT64 = "float64"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Scale:
    """Engineering value = raw * factor + offset."""

    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class WriteRule:
    """What may be written to a tag. `low` and `high` are engineering values, inclusive.

    `readback` names the tag that must show the value before the write counts as confirmed; None is the tag itself.
    """

    low: float | None = None
    high: float | None = None
    confirm: bool = False
    readback: str | None = None
    tolerance: float = 0.0
    timeout_us: int = 5 * SECOND


@dataclass(frozen=True, slots=True)
class Tag:
    """One tag. `index` is its place in `Plant.tags`, which is what travels in batches.

    `low`..`high` is the range of the instrument, `normal` the band in which a healthy plant keeps it.
    `states` names the values of a discrete tag (`{0: "standby", 1: "running"}`); `on` lists the values that count as
    running or open. `deadband` is in engineering units. `expression` makes it a derived tag, without a device.
    """

    name: str
    index: int
    data_type: DataType = DataType.FLOAT32
    description: str = ""
    unit: str = ""
    decimals: int = 2
    device: str | None = None
    address: str = ""
    period_us: int = SECOND
    scale: Scale | None = None
    low: float | None = None
    high: float | None = None
    normal: tuple[float, float] | None = None
    setpoint: str | None = None
    states: Mapping[int, str] = field(default_factory=dict)
    on: tuple[int, ...] = (1,)
    deadband: float = 0.0
    heartbeat_us: int = MINUTE
    write: WriteRule | None = None
    expression: str | None = None
    was: str | None = None
    area: str = ""

    @property
    def lane(self) -> Lane:
        if self.data_type is DataType.BOOL:
            return Lane.BOOL
        if self.data_type is DataType.TEXT:
            return Lane.TEXT
        # A scaled integer is a float by the time it is an engineering value.
        if self.data_type in (DataType.FLOAT32, DataType.FLOAT64) or self.scale is not None:
            return Lane.FLOAT
        return Lane.INT

    def format(self, value: float, text: str | None = None) -> str:
        """The value as an operator reads it, without unit: fixed decimals, or the name of the state."""
        if self.data_type is DataType.TEXT:
            return text or ""
        if not math.isfinite(value):
            return ""
        if self.states or self.data_type is DataType.BOOL:
            known = self.states.get(int(value))
            if known is not None:
                return known
            return ("off", "on")[bool(value)] if self.data_type is DataType.BOOL else f"{int(value)}"
        if self.lane is Lane.INT:
            return f"{int(value)}"
        return f"{value:.{self.decimals}f}"

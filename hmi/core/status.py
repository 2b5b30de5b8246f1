"""OPC UA status codes, kept as they came, and the quality that a person sees.

The codes are those of OPC UA Part 6, Annex A. Bits 30 and 31 are the severity. Two codes carry what other systems
keep in separate flags, so that live, history and replay never disagree:

- a value that has not been read for longer than it should is `UNCERTAIN_LAST_USABLE_VALUE` (shown as *stale*);
- in replay, what was not collected is `BAD_NO_DATA` (shown as *not recorded*). It is never stored.
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

GOOD = 0x00000000
GOOD_LOCAL_OVERRIDE = 0x00960000
UNCERTAIN = 0x40000000
UNCERTAIN_LAST_USABLE_VALUE = 0x40900000
UNCERTAIN_SENSOR_NOT_ACCURATE = 0x40930000
UNCERTAIN_ENGINEERING_UNITS_EXCEEDED = 0x40940000
UNCERTAIN_SUB_NORMAL = 0x40950000
BAD = 0x80000000
BAD_COMMUNICATION_ERROR = 0x80050000
BAD_TIMEOUT = 0x800A0000
BAD_NO_COMMUNICATION = 0x80310000
BAD_WAITING_FOR_INITIAL_DATA = 0x80320000
BAD_NODE_ID_UNKNOWN = 0x80340000
BAD_OUT_OF_RANGE = 0x803C0000
BAD_NOT_CONNECTED = 0x808A0000
BAD_DEVICE_FAILURE = 0x808B0000
BAD_SENSOR_FAILURE = 0x808C0000
BAD_OUT_OF_SERVICE = 0x808D0000
BAD_NO_DATA = 0x809B0000
BAD_CONFIGURATION_ERROR = 0x80890000
BAD_TYPE_MISMATCH = 0x80740000
BAD_DECODING_ERROR = 0x80070000

NAMES: dict[int, str] = {
    GOOD: "Good",
    GOOD_LOCAL_OVERRIDE: "GoodLocalOverride",
    UNCERTAIN: "Uncertain",
    UNCERTAIN_LAST_USABLE_VALUE: "UncertainLastUsableValue",
    UNCERTAIN_SENSOR_NOT_ACCURATE: "UncertainSensorNotAccurate",
    UNCERTAIN_ENGINEERING_UNITS_EXCEEDED: "UncertainEngineeringUnitsExceeded",
    UNCERTAIN_SUB_NORMAL: "UncertainSubNormal",
    BAD: "Bad",
    BAD_COMMUNICATION_ERROR: "BadCommunicationError",
    BAD_TIMEOUT: "BadTimeout",
    BAD_NO_COMMUNICATION: "BadNoCommunication",
    BAD_WAITING_FOR_INITIAL_DATA: "BadWaitingForInitialData",
    BAD_NODE_ID_UNKNOWN: "BadNodeIdUnknown",
    BAD_OUT_OF_RANGE: "BadOutOfRange",
    BAD_NOT_CONNECTED: "BadNotConnected",
    BAD_DEVICE_FAILURE: "BadDeviceFailure",
    BAD_SENSOR_FAILURE: "BadSensorFailure",
    BAD_OUT_OF_SERVICE: "BadOutOfService",
    BAD_NO_DATA: "BadNoData",
    BAD_CONFIGURATION_ERROR: "BadConfigurationError",
    BAD_TYPE_MISMATCH: "BadTypeMismatch",
    BAD_DECODING_ERROR: "BadDecodingError",
}

REASONS: dict[int, str] = {
    BAD_COMMUNICATION_ERROR: "no comm",
    BAD_TIMEOUT: "no answer",
    BAD_NO_COMMUNICATION: "no comm",
    BAD_NOT_CONNECTED: "no comm",
    BAD_NODE_ID_UNKNOWN: "no node",
    BAD_OUT_OF_RANGE: "range",
    BAD_DEVICE_FAILURE: "device",
    BAD_SENSOR_FAILURE: "sensor",
    BAD_CONFIGURATION_ERROR: "config",
    BAD_TYPE_MISMATCH: "type",
    BAD_DECODING_ERROR: "decode",
    BAD_WAITING_FOR_INITIAL_DATA: "never read",
    BAD_OUT_OF_SERVICE: "out of serv.",
    BAD_NO_DATA: "not rec.",
}

_CODE_BITS = 0xFFFF0000  # the low 16 bits are info bits (limits, overflow), which do not change what the code means


class Quality(IntEnum):
    """How a value is shown, worst last. When several hold, the worst wins (look guide, section 4)."""

    GOOD = 0
    UNCERTAIN = 1
    STALE = 2
    OUT_OF_SERVICE = 3
    FORCED = 4
    BAD = 5
    NEVER_READ = 6
    NOT_RECORDED = 7

    @property
    def has_value(self) -> bool:
        """Whether a number may be shown at all."""
        return self < Quality.BAD


_SPECIAL: dict[int, Quality] = {
    UNCERTAIN_LAST_USABLE_VALUE: Quality.STALE,
    GOOD_LOCAL_OVERRIDE: Quality.FORCED,
    BAD_OUT_OF_SERVICE: Quality.OUT_OF_SERVICE,
    BAD_WAITING_FOR_INITIAL_DATA: Quality.NEVER_READ,
    BAD_NO_DATA: Quality.NOT_RECORDED,
}


def quality_of(status: int) -> Quality:
    """The quality shown for a status code (uint32)."""
    code = status & _CODE_BITS
    special = _SPECIAL.get(code)
    if special is not None:
        return special
    return (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)[code >> 30]


def name_of(status: int) -> str:
    """The symbolic name, or the number where the code is not one we know."""
    return NAMES.get(status & _CODE_BITS, f"0x{status:08X}")


def reason_of(status: int) -> str:
    """One or two words for a slot on a screen, such as `no comm`."""
    return REASONS.get(status & _CODE_BITS, "bad")


def is_bad(status: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True where the severity is Bad; shape as given."""
    return status >= np.uint32(BAD)


def is_good(status: NDArray[np.uint32]) -> NDArray[np.bool_]:
    """True where the severity is Good; shape as given."""
    return status < np.uint32(UNCERTAIN)

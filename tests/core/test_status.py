"""Status codes are those of OPC UA, and each has one quality."""

import numpy as np
import pytest
from asyncua.ua import StatusCodes
from hypothesis import given
from hypothesis import strategies as st

from hmi.core import status
from hmi.core.status import Quality, name_of, quality_of


@pytest.mark.parametrize(("code", "name"), sorted(status.NAMES.items()))
def test_that_a_code_is_the_one_of_the_standard(code: int, name: str) -> None:
    assert getattr(StatusCodes, name) == code


@pytest.mark.parametrize(
    ("code", "quality"),
    [
        (status.GOOD, Quality.GOOD),
        (status.GOOD_LOCAL_OVERRIDE, Quality.FORCED),
        (status.UNCERTAIN_SUB_NORMAL, Quality.UNCERTAIN),
        (status.UNCERTAIN_LAST_USABLE_VALUE, Quality.STALE),
        (status.BAD_OUT_OF_SERVICE, Quality.OUT_OF_SERVICE),
        (status.BAD_TIMEOUT, Quality.BAD),
        (status.BAD_WAITING_FOR_INITIAL_DATA, Quality.NEVER_READ),
        (status.BAD_NO_DATA, Quality.NOT_RECORDED),
    ],
)
def test_that_each_code_has_its_quality(code: int, quality: Quality) -> None:
    assert quality_of(code) is quality
    # The low bits say more about the value, not about its quality.
    assert quality_of(code | 0x0403) is quality


@given(st.integers(0, 0xFFFFFFFF))
def test_that_any_code_has_a_quality_a_name_and_a_reason(code: int) -> None:
    quality = quality_of(code)
    assert name_of(code)
    assert status.reason_of(code)
    if code >> 31:
        assert quality >= Quality.OUT_OF_SERVICE
    column = np.array([code], np.uint32)
    assert bool(status.is_bad(column)[0]) == (code >= 0x80000000)
    assert bool(status.is_good(column)[0]) == (code < 0x40000000)


def test_that_a_bad_value_is_never_shown_as_a_number() -> None:
    assert [quality for quality in Quality if not quality.has_value] == [
        Quality.BAD,
        Quality.NEVER_READ,
        Quality.NOT_RECORDED,
    ]

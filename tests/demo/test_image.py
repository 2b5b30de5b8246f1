"""The register image of a PLC, byte by byte."""

import pytest

from hmi.core.tag import DataType
from hmi.demo.image import Answer, Image, Point, Table

H = Table.HOLDING


def constant(table: Table, address: int, kind: DataType, value: float | str, **more: float) -> Point:
    return Point(table, address, kind, lambda: value, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("kind", "value", "factor", "big", "little"),
    [
        (DataType.FLOAT32, 21.5, 1.0, [0x41AC, 0x0000], [0x0000, 0x41AC]),
        (DataType.FLOAT32, -0.1, 1.0, [0xBDCC, 0xCCCD], [0xCCCD, 0xBDCC]),
        (DataType.UINT32, 0x12345678, 1.0, [0x1234, 0x5678], [0x5678, 0x1234]),
        (DataType.INT32, -2, 1.0, [0xFFFF, 0xFFFE], [0xFFFE, 0xFFFF]),
        (DataType.UINT16, 74.2, 0.01, [7420], [7420]),
        (DataType.INT16, -12.5, 0.1, [0xFF83], [0xFF83]),
        (DataType.UINT16, 9999.0, 0.01, [65535], [65535]),
        (DataType.UINT16, -1.0, 1.0, [0], [0]),
    ],
)
def test_that_registers_hold_the_bytes_of_the_standard(
    kind: DataType, value: float, factor: float, big: list[int], little: list[int]
) -> None:
    for order, expected in ((True, big), (False, little)):
        image = Image([constant(H, 3, kind, value, factor=factor)], word_order_big=order)
        assert image.read(H, 3, len(expected)) == expected


def test_that_text_lies_two_letters_a_register() -> None:
    image = Image([constant(H, 0, DataType.TEXT, "OWW 2", length=4)], word_order_big=False)
    assert image.read(H, 0, 4) == [0x4F57, 0x5720, 0x3200, 0x0000]


def test_that_a_read_that_touches_a_hole_is_refused() -> None:
    image = Image([constant(H, 0, DataType.UINT16, 1), constant(H, 2, DataType.UINT16, 3)], word_order_big=True)
    assert image.read(H, 0, 1) == [1]
    assert image.read(H, 2, 1) == [3]
    assert image.read(H, 0, 3) is Answer.NO_SUCH_ADDRESS
    assert image.read(H, 2, 2) is Answer.NO_SUCH_ADDRESS
    assert image.read(Table.INPUT, 0, 1) is Answer.NO_SUCH_ADDRESS


def test_that_two_points_cannot_share_a_register() -> None:
    with pytest.raises(ValueError, match="holding 1"):
        Image([constant(H, 0, DataType.UINT32, 1), constant(H, 1, DataType.UINT16, 1)], word_order_big=True)


@pytest.mark.parametrize("big", [True, False])
def test_that_a_write_is_decoded_in_the_word_order_of_the_device(big: bool) -> None:
    store = {"value": 1.0}

    def write(value: float) -> bool:
        store["value"] = value
        return True

    point = Point(H, 10, DataType.FLOAT32, lambda: store["value"], 1.0, write, 0.0, 50.0)
    image = Image([point], word_order_big=big)
    words = [0x41AC, 0x0000] if big else [0x0000, 0x41AC]
    assert image.write(H, 10, words) is Answer.DONE
    assert store["value"] == 21.5
    assert image.read(H, 10, 2) == words
    assert image.write(H, 10, words[:1]) is Answer.NO_SUCH_ADDRESS, "half a number is no number"


def test_that_nothing_is_written_when_one_of_several_values_is_out_of_range() -> None:
    written: list[float] = []

    def write(value: float) -> bool:
        written.append(value)
        return True

    points = [Point(H, i, DataType.UINT16, lambda: 0.0, 1.0, write, 0.0, 10.0) for i in range(2)]
    image = Image([*points, constant(H, 2, DataType.UINT16, 5)], word_order_big=True)
    assert image.write(H, 0, [5, 11]) is Answer.BAD_VALUE
    assert image.write(H, 1, [5, 5]) is Answer.NO_SUCH_ADDRESS
    assert written == []
    assert image.write(H, 0, [5, 10]) is Answer.DONE
    assert written == [5.0, 10.0]

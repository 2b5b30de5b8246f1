"""Registers and values: known bytes of real layouts, and what goes in comes out again."""

import math
import struct
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.core.status import BAD_DECODING_ERROR, BAD_OUT_OF_RANGE, GOOD
from hmi.core.tag import DataType, Scale, Tag
from hmi.drivers.modbus_address import WORDS, parse_address
from hmi.drivers.modbus_codec import BlockDecoder, Encoding, Layout, Order, encode
from hmi.drivers.modbus_plan import Item, Limits, make_plan

BIG, LITTLE = Order.BIG, Order.LITTLE
LAYOUTS = [Layout(w, b) for w, b in product(Order, Order)]


def tag_of(data_type: DataType, address: str = "holding:0", scale: Scale | None = None, index: int = 0) -> Tag:
    return Tag(f"T-{index}", index, data_type, address=address, scale=scale)


def decode(tag: Tag, registers: list[int], layout: Layout) -> tuple[float, int, int | None, str | None]:
    (block,) = make_plan([Item(tag, parse_address(tag.address, tag.data_type))], Limits())
    batch = BlockDecoder(block, layout).decode(np.array(registers, np.uint16), 1_000)
    return (
        float(batch.value[0]),
        int(batch.status[0]),
        None if batch.whole is None else int(batch.whole[0]),
        None if batch.text is None else batch.text[0],
    )


# 123.456 as float32 is 42 F6 E9 79; the four orders in which devices send it.
@pytest.mark.parametrize(
    ("word", "byte", "registers"),
    [
        (BIG, BIG, [0x42F6, 0xE979]),
        (LITTLE, BIG, [0xE979, 0x42F6]),
        (BIG, LITTLE, [0xF642, 0x79E9]),
        (LITTLE, LITTLE, [0x79E9, 0xF642]),
    ],
)
def test_that_a_float_is_read_in_all_four_orders(word: Order, byte: Order, registers: list[int]) -> None:
    layout = Layout(word, byte)
    assert decode(tag_of(DataType.FLOAT32), registers, layout)[0] == pytest.approx(123.456, rel=1e-6)
    assert encode(tag_of(DataType.FLOAT32), parse_address("holding:0", DataType.FLOAT32), 123.456, layout) == registers


@pytest.mark.parametrize(
    ("data_type", "registers", "value"),
    [
        (DataType.INT16, [0xFFFE], -2),
        (DataType.UINT16, [0xFFFE], 65534),
        (DataType.INT32, [0xFFFE, 0x1DC0], -123456),
        (DataType.UINT32, [0x0001, 0xE240], 123456),
        (DataType.INT64, [0x8000, 0x0000, 0x0000, 0x0001], -(2**63) + 1),
        (DataType.UINT64, [0x0020, 0x0000, 0x0000, 0x0001], 2**53 + 1),
    ],
)
def test_that_whole_numbers_are_exact_beyond_what_a_float_can_hold(
    data_type: DataType, registers: list[int], value: int
) -> None:
    layout = Layout()
    assert decode(tag_of(data_type), registers, layout)[1:3] == (GOOD, value)
    assert encode(tag_of(data_type), parse_address("holding:0", data_type), value, layout) == registers
    swapped = Layout(LITTLE, BIG)
    assert decode(tag_of(data_type), registers[::-1], swapped)[2] == value


def test_that_a_double_is_read() -> None:
    registers = list(struct.unpack(">4H", struct.pack(">d", math.pi)))
    assert decode(tag_of(DataType.FLOAT64), registers, Layout())[0] == math.pi


def test_that_a_number_too_large_for_the_int_lane_is_bad_and_not_wrong() -> None:
    value, status, whole, _ = decode(tag_of(DataType.UINT64), [0x8000, 0, 0, 0], Layout())
    assert (math.isnan(value), status, whole) == (True, BAD_OUT_OF_RANGE, 0)


@pytest.mark.parametrize("registers", [[0x7FC0, 0], [0x7F80, 0], [0xFF80, 0]])
def test_that_nan_and_infinity_of_a_device_are_not_good_values(registers: list[int]) -> None:
    assert decode(tag_of(DataType.FLOAT32), registers, Layout())[1] == BAD_OUT_OF_RANGE


@pytest.mark.parametrize(("byte", "bit"), [(BIG, 3), (LITTLE, 11)])
def test_that_a_bit_is_counted_from_the_lowest(byte: Order, bit: int) -> None:
    tag = tag_of(DataType.BOOL, f"holding:0.{bit}")
    assert decode(tag, [0x0008], Layout(BIG, byte))[0] == 1
    assert decode(tag, [0xFFF7], Layout(BIG, byte))[0] == 0


@pytest.mark.parametrize(
    ("layout", "registers"),
    [
        (Layout(), [0x5075, 0x6D70, 0x2031, 0x0000]),
        (Layout(byte_order=LITTLE), [0x7550, 0x706D, 0x3120, 0x0000]),
        (Layout(word_order=LITTLE), [0x5075, 0x6D70, 0x2031, 0x0000]),
    ],
)
def test_that_text_is_read_and_written_up_to_its_end(layout: Layout, registers: list[int]) -> None:
    tag = tag_of(DataType.TEXT, "holding:0/4")
    assert decode(tag, registers, layout)[3] == "Pump 1"
    assert encode(tag, parse_address(tag.address, DataType.TEXT), "Pump 1", layout) == registers


def test_that_bytes_that_are_no_text_are_bad_and_the_encoding_can_be_named() -> None:
    tag = tag_of(DataType.TEXT, "holding:0/2")
    assert decode(tag, [0x47FC, 0x7465], Layout())[1:] == (BAD_DECODING_ERROR, None, None)
    assert decode(tag, [0x47FC, 0x7465], Layout(encoding=Encoding.LATIN_1))[3] == "Güte"


def test_that_a_whole_block_of_mixed_types_is_decoded_in_its_places() -> None:
    tags = [
        tag_of(DataType.UINT16, "holding:0", index=0),
        tag_of(DataType.FLOAT32, "holding:1", index=1),
        tag_of(DataType.INT16, "holding:3", Scale(0.1, -10.0), index=2),
        tag_of(DataType.BOOL, "holding:0.0", index=3),
        tag_of(DataType.BOOL, "holding:0.1", index=4),
        tag_of(DataType.TEXT, "holding:4/1", index=5),
        tag_of(DataType.INT32, "holding:10", index=6),
    ]
    (block,) = make_plan([Item(t, parse_address(t.address, t.data_type)) for t in tags], Limits())
    registers = [1, 0x42F6, 0xE979, 250, 0x4F4B, 0, 0, 0, 0, 0, 0xFFFF, 0xFFFF]
    batch = BlockDecoder(block, Layout()).decode(np.array(registers, np.uint16), 77)
    by_tag = {int(t): i for i, t in enumerate(batch.tag)}
    assert [batch.value[by_tag[i]] for i in (0, 2, 3, 4, 6)] == [1, 15.0, 1, 0, -1]
    assert batch.value[by_tag[1]] == pytest.approx(123.456, rel=1e-6)
    assert batch.text is not None
    assert batch.text[by_tag[5]] == "OK"
    assert batch.whole is not None
    assert batch.whole[by_tag[6]] == -1
    assert set(batch.time_us) == {77}
    assert not batch.delay_us.any()
    assert not batch.status.any()


def test_that_coils_are_decoded_by_their_places() -> None:
    tags = [tag_of(DataType.BOOL, f"coil:{n}", index=n) for n in (3, 5, 9)]
    (block,) = make_plan([Item(t, parse_address(t.address, t.data_type)) for t in tags], Limits())
    batch = BlockDecoder(block, Layout()).decode(np.array([1, 0, 0, 0, 0, 0, 1], np.uint8), 1)
    assert list(zip(batch.tag.tolist(), batch.value.tolist(), strict=True)) == [(3, 1.0), (5, 0.0), (9, 1.0)]


_VALUES = {
    DataType.INT16: st.integers(-(2**15), 2**15 - 1),
    DataType.UINT16: st.integers(0, 2**16 - 1),
    DataType.INT32: st.integers(-(2**31), 2**31 - 1),
    DataType.UINT32: st.integers(0, 2**32 - 1),
    DataType.INT64: st.integers(-(2**63), 2**63 - 1),
    DataType.UINT64: st.integers(0, 2**63 - 1),
    DataType.FLOAT32: st.floats(width=32, allow_nan=False, allow_infinity=False),
    DataType.FLOAT64: st.floats(allow_nan=False, allow_infinity=False),
}


@settings(max_examples=120, deadline=None)
@given(
    st.sampled_from(list(_VALUES)).flatmap(lambda t: st.tuples(st.just(t), _VALUES[t])),
    st.sampled_from(LAYOUTS),
)
def test_that_every_value_survives_the_way_to_the_device_and_back(
    typed: tuple[DataType, float], layout: Layout
) -> None:
    data_type, value = typed
    tag = tag_of(data_type)
    registers = encode(tag, parse_address(tag.address, data_type), value, layout)
    assert len(registers) == WORDS[data_type]
    number, status, whole, _ = decode(tag, registers, layout)
    assert status == GOOD
    assert (whole if whole is not None else number) == value


@settings(max_examples=100, deadline=None)
@given(st.integers(-32768, 32767), st.floats(0.001, 100), st.floats(-1000, 1000))
def test_that_a_scaled_value_written_as_it_was_read_gives_the_same_register(
    raw: int, factor: float, offset: float
) -> None:
    tag = tag_of(DataType.INT16, scale=Scale(factor, offset))
    shown = decode(tag, [raw & 0xFFFF], Layout())[0]
    assert encode(tag, parse_address(tag.address, DataType.INT16), shown, Layout()) == [raw & 0xFFFF]


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters(codec="latin-1", exclude_characters="\0 ", categories=["L", "N"]), max_size=8))
def test_that_text_survives_the_way_to_the_device_and_back(text: str) -> None:
    tag = tag_of(DataType.TEXT, "holding:0/4")
    for layout in (Layout(BIG, b, Encoding.LATIN_1) for b in Order):
        registers = encode(tag, parse_address(tag.address, DataType.TEXT), text, layout)
        assert decode(tag, registers, layout)[3] == text


@pytest.mark.parametrize(
    ("data_type", "value", "why"),
    [
        (DataType.INT16, 32768, "does not fit into int16"),
        (DataType.UINT16, -1, "does not fit into uint16"),
        (DataType.FLOAT32, 1e39, "does not fit into float32"),
        (DataType.FLOAT32, math.nan, "no number"),
        (DataType.INT32, "on", "not a number"),
    ],
)
def test_that_a_value_the_registers_cannot_hold_is_refused_in_words(
    data_type: DataType, value: float | str, why: str
) -> None:
    with pytest.raises(ValueError, match=why):
        encode(tag_of(data_type), parse_address("holding:0", data_type), value, Layout())


def test_that_text_too_long_or_not_in_the_encoding_is_refused() -> None:
    tag = tag_of(DataType.TEXT, "holding:0/2")
    address = parse_address(tag.address, DataType.TEXT)
    with pytest.raises(ValueError, match="room for 4"):
        encode(tag, address, "Pumps", Layout())
    with pytest.raises(ValueError, match="encoding latin-1"):
        encode(tag, address, "日", Layout(encoding=Encoding.LATIN_1))


def test_that_decoding_keeps_nothing_from_the_block_before() -> None:
    tag = tag_of(DataType.INT32)
    (block,) = make_plan([Item(tag, parse_address(tag.address, tag.data_type))], Limits())
    decoder = BlockDecoder(block, Layout())
    first = decoder.decode(np.array([0, 1], ">u2"), 1)
    second = decoder.decode(np.array([0, 2], ">u2"), 2)
    assert (first.value[0], second.value[0]) == (1, 2)
    assert not np.shares_memory(first.value, second.value)

"""Which blocks are read: every tag once, within the caps, and no longer gap than allowed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from hmi.core.tag import DataType, Tag
from hmi.drivers.modbus_address import Address, Area, parse_address
from hmi.drivers.modbus_plan import DeviceMap, Item, Limits, make_plan, split

SECOND = 1_000_000


def item(index: int, address: str, data_type: DataType = DataType.UINT16, period_us: int = SECOND) -> Item:
    tag = Tag(f"T-{index}", index, data_type, address=address, period_us=period_us)
    return Item(tag, parse_address(address, data_type))


@st.composite
def plants(draw: st.DrawFn) -> list[Item]:
    found = []
    for index in range(draw(st.integers(1, 40))):
        data_type = draw(st.sampled_from([DataType.UINT16, DataType.FLOAT32, DataType.INT64, DataType.BOOL]))
        area = draw(st.sampled_from([Area.HOLDING, Area.INPUT]))
        if data_type is DataType.BOOL:
            area = draw(st.sampled_from([Area.COIL, Area.DISCRETE]))
        start = draw(st.integers(0, 3000))
        period_us = draw(st.sampled_from([100_000, SECOND]))
        found.append(item(index, f"{area}:{start}", data_type, period_us))
    return found


LIMITS = st.builds(
    Limits, max_gap=st.integers(0, 200), max_registers=st.integers(4, 125), max_bits=st.integers(1, 2000)
)


@settings(max_examples=40, deadline=None)
@given(plants(), LIMITS)
def test_that_every_tag_is_in_exactly_one_block_and_no_block_is_too_long_or_bridges_too_much(
    items: list[Item], limits: Limits
) -> None:
    plan = make_plan(items, limits)
    covered = [i.tag.index for block in plan for i in block.items]
    assert sorted(covered) == list(range(len(items)))
    for block in plan:
        assert 1 <= block.count <= limits.cap(block.area)
        used: set[int] = set()
        for i in block.items:
            assert i.address.area is block.area
            assert i.tag.period_us == block.period_us
            assert block.start <= i.address.start
            assert i.address.end <= block.end
            used |= set(range(i.address.start, i.address.end))
        assert min(used) == block.start
        assert max(used) == block.end - 1
        longest = gap = 0
        for address in range(block.start, block.end):
            gap = 0 if address in used else gap + 1
            longest = max(longest, gap)
        assert longest <= limits.max_gap


@settings(max_examples=25, deadline=None)
@given(plants(), LIMITS, st.sets(st.tuples(st.sampled_from(list(Area)), st.integers(1, 3000)), max_size=30))
def test_that_no_block_begins_a_value_behind_a_wall_that_the_block_began_before(
    items: list[Item], limits: Limits, walls: set[tuple[Area, int]]
) -> None:
    plan = make_plan(items, limits, DeviceMap(walls=walls))
    assert sorted(i.tag.index for block in plan for i in block.items) == list(range(len(items)))
    for block in plan:
        for i in block.items:
            assert not any(area is block.area and block.start < wall <= i.address.start for area, wall in walls)


@settings(max_examples=40, deadline=None)
@given(plants())
def test_that_a_refused_block_is_halved_until_single_values_are_left(items: list[Item]) -> None:
    queue = list(make_plan(items, Limits(max_gap=200)))
    singles = []
    while queue:
        block = queue.pop()
        halves = split(block)
        if halves is None:
            singles.append(block)
            continue
        left, right = halves
        assert left.items + right.items == block.items
        assert left.end <= right.start
        queue += halves
    assert sorted(i.tag.index for block in singles for i in block.items) == list(range(len(items)))


def test_that_a_thousand_dense_floats_take_seventeen_requests() -> None:
    items = [item(n, f"holding:{2 * n}", DataType.FLOAT32) for n in range(1000)]
    # 62 floats are 124 registers: the 125th would be half a value.
    assert len(make_plan(items, Limits())) == 17


def test_that_absent_tags_are_left_out_and_others_stay() -> None:
    items = [item(n, f"holding:{n}") for n in range(10)]
    plan = make_plan(items, Limits(max_gap=0), DeviceMap(absent={4}))
    assert [(b.start, b.count) for b in plan] == [(0, 4), (5, 5)]


def test_that_a_word_and_its_bits_share_one_block() -> None:
    items = [item(0, "holding:40"), item(1, "holding:40.3", DataType.BOOL), item(2, "holding:40.15", DataType.BOOL)]
    (block,) = make_plan(items, Limits())
    assert (block.start, block.count, len(block.items)) == (40, 1, 3)
    assert split(block) is None


def test_that_a_gap_as_long_as_allowed_is_bridged_and_one_longer_is_not() -> None:
    assert len(make_plan([item(0, "holding:0"), item(1, "holding:17")], Limits(max_gap=16))) == 1
    assert len(make_plan([item(0, "holding:0"), item(1, "holding:18")], Limits(max_gap=16))) == 2


def test_that_an_address_says_in_words_what_it_covers() -> None:
    assert str(Address(Area.HOLDING, 40, 2)) == "holding 40–41"
    assert str(Address(Area.HOLDING, 40, 1, 3)) == "holding 40 bit 3"
    assert str(Address(Area.COIL, 3)) == "coil 3"

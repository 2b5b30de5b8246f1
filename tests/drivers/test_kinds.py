"""What `hmi check` and 'why this value' learn from a protocol without talking to a device."""

import subprocess
import sys

import pytest
from pydantic import ValidationError

from hmi.core.device import AddressFault
from hmi.core.duration import duration_text, parse_duration
from hmi.core.tag import DataType, Scale, Tag, WriteRule
from hmi.drivers import DRIVERS

MODBUS = DRIVERS["modbus-tcp"]
OPCUA = DRIVERS["opcua"]
SIMULATOR = DRIVERS["simulator"]


def tag_of(
    name: str, address: str, data_type: DataType = DataType.UINT16, write: WriteRule | None = None, index: int = 0
) -> Tag:
    return Tag(name, index, data_type, device="PLC-3", address=address, write=write)


def modbus_faults(*tags: Tag) -> list[AddressFault]:
    return MODBUS.check(MODBUS.options(host="plc"), tags)


def test_that_looking_up_drivers_imports_no_protocol_library() -> None:
    code = "import sys, hmi.drivers; print([m for m in ('pymodbus', 'asyncua') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("text", "duration_us"),
    [("500ms", 500_000), ("1s", 1_000_000), ("1.5s", 1_500_000), ("5min", 300_000_000), ("2h", 7_200_000_000),
     ("30d", 2_592_000_000_000), (" 10 s ", 10_000_000), ("250us", 250), ("0s", 0)],
)  # fmt: skip
def test_that_durations_are_read_and_told(text: str, duration_us: int) -> None:
    assert parse_duration(text) == duration_us
    assert parse_duration(duration_text(duration_us)) == duration_us


@pytest.mark.parametrize("text", ["", "5", "s", "-1s", "1 week", "1sec", "1e3s", "1s 2ms"])
def test_that_what_is_no_duration_is_answered_with_the_forms(text: str) -> None:
    with pytest.raises(ValueError, match="500ms, 1s, 5min"):
        parse_duration(text)


def test_that_options_take_durations_and_numbers_as_text_from_the_environment() -> None:
    options = MODBUS.options(host="plc", port="15021", timeout="500ms")
    assert (options.port, options.timeout_us, options.unit, options.max_gap) == (15021, 500_000, 1, 16)
    options = OPCUA.options(url="opc.tcp://127.0.0.1:4840/", publishing="250ms")
    assert (options.publishing_us, options.keep_alive_us) == (250_000, 1_000_000)


def test_that_an_editor_is_told_defaults_as_they_are_written() -> None:
    fields = OPCUA.options.model_json_schema()["properties"]
    assert (fields["publishing"]["default"], fields["timeout"]["default"]) == ("100ms", "2s")
    assert MODBUS.options.model_json_schema()["properties"]["timeout"]["default"] == "1s"


@pytest.mark.parametrize(
    ("options", "where"),
    [
        ({"host": "plc", "port": 0}, "port"),
        ({"host": "plc", "timeout": 5}, "timeout"),
        ({"host": "plc", "timeout": "soon"}, "timeout"),
        ({"host": "plc", "word_order": "middle"}, "word_order"),
        ({"host": "plc", "prot": 502}, "prot"),
        ({}, "host"),
    ],
)
def test_that_wrong_options_are_reported_by_name(options: dict[str, object], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        MODBUS.options(**options)
    assert caught.value.errors()[0]["loc"] == (where,)


@pytest.mark.parametrize(
    ("address", "data_type", "message"),
    [
        ("40001", DataType.UINT16, "not a Modbus address"),
        ("holdings:4", DataType.UINT16, "not an area"),
        ("holding:4", DataType.BOOL, "needs its bit"),
        ("holding:4.16", DataType.BOOL, "bits 0 to 15"),
        ("holding:4.1", DataType.UINT16, "has the type bool"),
        ("coil:4", DataType.UINT16, "holds one bit"),
        ("coil:4.1", DataType.BOOL, "no bits of its own"),
        ("holding:4/2", DataType.UINT16, "only a text"),
        ("holding:4", DataType.TEXT, "needs its length"),
        ("holding:4/126", DataType.TEXT, "1 to 125"),
        ("holding:65535", DataType.FLOAT32, "0 to 65535"),
        ("holding:65536", DataType.UINT16, "0 to 65535"),
        ("holding:-1", DataType.UINT16, "not a Modbus address"),
        ("Holding:4", DataType.UINT16, "not a Modbus address"),
    ],
)
def test_that_a_wrong_address_is_a_fault_with_words(address: str, data_type: DataType, message: str) -> None:
    (fault,) = modbus_faults(tag_of("T", address, data_type))
    assert fault.tag == "T"
    assert message in fault.message


@pytest.mark.parametrize(
    ("address", "data_type"),
    [
        ("holding:40", DataType.UINT16),
        ("holding:100+4", DataType.FLOAT32),
        ("holding:100+4+1.3", DataType.BOOL),
        ("holding:40/8", DataType.TEXT),
        ("input:65534", DataType.FLOAT32),
        ("coil:3", DataType.BOOL),
        ("discrete:7", DataType.BOOL),
    ],
)
def test_that_a_right_address_is_no_fault(address: str, data_type: DataType) -> None:
    assert modbus_faults(tag_of("T", address, data_type)) == []


def test_that_only_coils_and_holding_registers_can_be_written() -> None:
    write = WriteRule()
    assert "input register cannot be written" in modbus_faults(tag_of("T", "input:4", write=write))[0].message
    assert "discrete input" in modbus_faults(tag_of("T", "discrete:4", DataType.BOOL, write))[0].message
    assert not modbus_faults(tag_of("T", "coil:4", DataType.BOOL, write), tag_of("U", "holding:4", write=write))


def test_that_registers_shared_by_different_types_are_a_fault_at_the_second_tag() -> None:
    (fault,) = modbus_faults(tag_of("A", "holding:10", DataType.FLOAT32), tag_of("B", "holding:11", index=1))
    assert fault.tag == "B"
    assert "overlaps 'A' (holding 10–11, float32)" in fault.message
    assert modbus_faults(tag_of("A", "holding:10", DataType.INT16), tag_of("B", "holding:10", index=1))
    assert modbus_faults(
        tag_of("A", "holding:10", DataType.FLOAT64),
        tag_of("B", "holding:12", DataType.FLOAT64, index=1),
        tag_of("C", "holding:20", index=2),
    )


def test_that_a_status_word_may_be_read_whole_and_bit_by_bit() -> None:
    word = tag_of("W", "holding:10")
    bits = [tag_of(f"B{n}", f"holding:10.{n}", DataType.BOOL, index=n + 1) for n in range(3)]
    assert modbus_faults(word, *bits) == []
    assert modbus_faults(tag_of("F", "holding:10", DataType.FLOAT32), bits[0])


def test_that_two_names_for_one_value_are_allowed_unless_they_are_written_differently() -> None:
    assert modbus_faults(tag_of("A", "holding:10"), tag_of("B", "holding:10", index=1)) == []
    assert modbus_faults(tag_of("A", "holding:10"), tag_of("B", "input:10", index=1)) == []
    (fault,) = modbus_faults(tag_of("A", "holding:10", write=WriteRule(high=5)), tag_of("B", "holding:10", index=1))
    assert "written by other rules" in fault.message


@pytest.mark.parametrize(
    "address",
    ["ns=2;s=Zone.FT-401", "i=2258", "ns=3;i=1001", "ns=2;s=a;b=c", "g=09087e75-8e5e-499b-954f-f2a9603db28a",
     "ns=1;b=M/RbKBsRVkePCePcx24oRA=="],
)  # fmt: skip
def test_that_node_ids_of_all_kinds_are_taken(address: str) -> None:
    assert OPCUA.check(OPCUA.options(url="opc.tcp://h/"), [tag_of("T", address)]) == []


@pytest.mark.parametrize("address", ["Zone.FT-401", "ns=x;s=a", "ns=70000;s=a", "i=abc", "g=1", "b=?", "s=", ""])
def test_that_what_is_no_node_id_is_a_fault(address: str) -> None:
    (fault,) = OPCUA.check(OPCUA.options(url="opc.tcp://h/"), [tag_of("T", address)])
    assert fault.fix


def test_that_one_node_read_as_two_types_is_a_fault() -> None:
    tags = [tag_of("A", "ns=2;s=a"), tag_of("B", "ns=2;s=a", DataType.FLOAT32, index=1)]
    (fault,) = OPCUA.check(OPCUA.options(url="opc.tcp://h/"), tags)
    assert "the same node as 'A'" in fault.message


@pytest.mark.parametrize("address", ["sine", "sine:0s", "ramp:soon", "noise", "memory:1s", ""])
def test_that_an_unknown_signal_is_a_fault(address: str) -> None:
    (fault,) = SIMULATOR.check(SIMULATOR.options(), [tag_of("T", address)])
    assert "memory" in fault.fix


def test_that_only_memory_can_be_written_in_the_simulator() -> None:
    (fault,) = SIMULATOR.check(SIMULATOR.options(), [tag_of("T", "sine:1s", write=WriteRule())])
    assert "cannot be written" in fault.message


def test_that_a_value_can_be_traced_to_its_registers() -> None:
    options = MODBUS.options(host="10.0.0.7", word_order="little")
    tags = [
        Tag(f"T-{n}", n, DataType.FLOAT32, device="PLC-3", address=f"holding:{112 + 2 * n}", scale=Scale(0.1, 4))
        for n in range(5)
    ]
    told = MODBUS.describe(options, tags[1], tags)
    assert told["Read from"] == "PLC-3, Modbus TCP, unit 1, holding 114–115"
    assert told["Device"] == "10.0.0.7:502"
    assert told["Type"] == "float32, little word first, big byte first"
    assert told["Scale"] == "raw × 0.1 + 4"
    assert told["Polled"] == "every 1s, planned in one block of 10 registers (holding 112–121) with 4 other tags"
    assert MODBUS.describe(options, tags[1])["Polled"] == "every 1s"


def test_that_a_value_can_be_traced_to_its_node_and_to_the_simulator() -> None:
    told = OPCUA.describe(OPCUA.options(url="opc.tcp://h/"), tag_of("T", "ns=2;s=Zone.FT-401"))
    assert told["Read from"] == "PLC-3, OPC UA, node ns=2;s=Zone.FT-401"
    assert "no real device" in SIMULATOR.describe(SIMULATOR.options(), tag_of("T", "sine:1s"))["Read from"]

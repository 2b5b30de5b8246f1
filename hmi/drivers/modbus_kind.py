"""Modbus TCP as the files see it: options, what is wrong with addresses, and where a value comes from."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hmi.core.clock import SECOND, Clock
from hmi.core.device import AddressFault, Device, Driver
from hmi.core.duration import Duration, duration_text, durations_as_text
from hmi.core.tag import DataType, Tag
from hmi.drivers.modbus_address import MAX_BITS, MAX_REGISTERS, Address, AddressError, Area, parse_address
from hmi.drivers.modbus_codec import Encoding, Layout, Order
from hmi.drivers.modbus_plan import Item, Limits, make_plan


class ModbusOptions(BaseModel):
    """A device that speaks Modbus TCP, as written in plant.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, json_schema_extra=durations_as_text)

    host: Annotated[str, Field(min_length=1, description="Name or address of the device or gateway")]
    port: Annotated[int, Field(ge=1, le=65535, description="TCP port")] = 502
    unit: Annotated[int, Field(ge=0, le=255, description="Unit identifier behind a gateway; most devices take any")] = 1
    word_order: Annotated[Order, Field(description="big: the register with the high word comes first")] = Order.BIG
    byte_order: Annotated[Order, Field(description="big: the high byte of a register comes first")] = Order.BIG
    encoding: Annotated[Encoding, Field(description="How the device writes text")] = Encoding.UTF_8
    max_gap: Annotated[
        int, Field(ge=0, le=MAX_BITS, description="Unwanted addresses that are read along to save a request")
    ] = 16
    max_registers: Annotated[int, Field(ge=1, le=MAX_REGISTERS, description="Registers in one read at most")] = 125
    max_bits: Annotated[int, Field(ge=1, le=MAX_BITS, description="Coils or inputs in one read at most")] = 2000
    timeout_us: Annotated[
        Duration, Field(alias="timeout", ge=10_000, le=60 * SECOND, description="How long an answer may take")
    ] = SECOND

    @property
    def layout(self) -> Layout:
        return Layout(self.word_order, self.byte_order, self.encoding)

    @property
    def limits(self) -> Limits:
        return Limits(self.max_gap, self.max_registers, self.max_bits)


class ModbusKind:
    """The entry `modbus-tcp` in the table of drivers."""

    options: type[Any] = ModbusOptions
    sends_changes_only = False

    def check(self, options: ModbusOptions, tags: Sequence[Tag]) -> list[AddressFault]:
        faults: list[AddressFault] = []
        items: list[Item] = []
        for tag in tags:
            try:
                address = parse_address(tag.address, tag.data_type)
            except AddressError as error:
                faults.append(AddressFault(tag.name, str(error), error.fix))
                continue
            items.append(Item(tag, address))
            if tag.write is not None and not address.area.writable:
                where = "a discrete input" if address.area is Area.DISCRETE else "an input register"
                faults.append(AddressFault(tag.name, f"{where} cannot be written", "use a coil or a holding register"))
            if address.count > options.max_registers and not address.area.of_bits:
                faults.append(
                    AddressFault(tag.name, f"takes {address.count} registers; max_registers is {options.max_registers}")
                )
        return faults + _overlaps(items)

    def describe(self, options: ModbusOptions, tag: Tag, tags: Sequence[Tag] = ()) -> Mapping[str, str]:
        try:
            address = parse_address(tag.address, tag.data_type)
        except AddressError as error:
            return {"Read from": f"{tag.device}, Modbus TCP", "Address": f"{tag.address}: {error}"}
        found = {
            "Read from": f"{tag.device}, Modbus TCP, unit {options.unit}, {address}",
            "Device": f"{options.host}:{options.port}",
            "Address": f"{tag.address} (counted from 0)",
            "Type": _type_text(options, tag, address),
        }
        if tag.scale is not None:
            found["Scale"] = f"raw × {tag.scale.factor:g} + {tag.scale.offset:g}"
        every = f"every {duration_text(tag.period_us)}"
        found["Polled"] = every + _block_text(options, tag, tags)
        return found

    def make(self, device: Device, tags: Sequence[Tag], clock: Clock) -> Driver:
        # The library behind it takes a second to import, which `hmi check` need not wait for.
        from hmi.drivers.modbus import ModbusDriver

        return ModbusDriver(device, tags, clock)


def _type_text(options: ModbusOptions, tag: Tag, address: Address) -> str:
    if address.area.of_bits or address.bit is not None:
        return "one bit"
    if tag.data_type is DataType.TEXT:
        return f"text of {address.count} registers, {options.encoding}, {options.byte_order} byte first"
    if address.count == 1:
        return f"{tag.data_type}, {options.byte_order} byte first"
    return f"{tag.data_type}, {options.word_order} word first, {options.byte_order} byte first"


def _block_text(options: ModbusOptions, tag: Tag, tags: Sequence[Tag]) -> str:
    items: list[Item] = []
    for other in tags:
        try:
            items.append(Item(other, parse_address(other.address, other.data_type)))
        except AddressError:
            continue
    for block in make_plan(items, options.limits):
        if any(item.tag.index == tag.index for item in block.items):
            what = ("bit" if block.area.of_bits else "register") + "s" * (block.count > 1)
            others = len(block.items) - 1
            company = f" with {others} other tag" + "s" * (others > 1) if others else ""
            return f", planned in one block of {block.count} {what} ({block}){company}"
    return ""


def _overlaps(items: Sequence[Item]) -> list[AddressFault]:
    """Tags that share registers but not their meaning."""
    faults: list[AddressFault] = []
    open_items: list[Item] = []
    for item in sorted(items, key=lambda i: (i.address.area, i.address.start, -i.address.count, i.tag.index)):
        open_items = [
            other
            for other in open_items
            if other.address.area is item.address.area and other.address.end > item.address.start
        ]
        for other in open_items:
            fault = _conflict(item, other)
            if fault is not None:
                faults.append(fault)
                break
        open_items.append(item)
    return faults


def _conflict(item: Item, other: Item) -> AddressFault | None:
    tag, address = item.tag, item.address
    where = f"'{other.tag.name}' ({other.address}, {other.tag.data_type})"
    if address.bit is not None and other.address.bit is not None and address.bit != other.address.bit:
        return None
    if (address.bit is None) != (other.address.bit is None):
        # A status word is often read both as a whole and bit by bit.
        word = other if address.bit is not None else item
        if word.tag.data_type in (DataType.INT16, DataType.UINT16):
            return None
    if address != other.address or tag.data_type is not other.tag.data_type:
        return AddressFault(
            tag.name, f"{address} ({tag.data_type}) overlaps {where}", "give each value registers of its own"
        )
    if tag.write != other.tag.write:
        return AddressFault(
            tag.name, f"the same address as {where}, but written by other rules", "give both tags the same write rule"
        )
    return None

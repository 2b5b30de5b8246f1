"""Drivers: each knows one protocol and nothing of reconnecting, deadbands or alarms.

A new protocol is one module and one line in `DRIVERS`. Looking up an entry imports no protocol library; making a
driver does.
"""

from collections.abc import Mapping
from types import MappingProxyType

from hmi.core.device import DriverKind
from hmi.drivers.modbus_kind import ModbusKind
from hmi.drivers.opcua_kind import OpcUaKind
from hmi.drivers.simulator import SimulatorKind

DRIVERS: Mapping[str, DriverKind] = MappingProxyType(
    {
        "modbus-tcp": ModbusKind(),
        "opcua": OpcUaKind(),
        "simulator": SimulatorKind(),
    }
)
"""Every protocol by the word that stands behind `driver:` in plant.yaml."""

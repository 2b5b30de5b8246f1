"""OPC UA as the files see it: options, the form of node ids, and where a value comes from."""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from hmi.core.clock import MINUTE, SECOND, Clock
from hmi.core.device import AddressFault, Device, Driver
from hmi.core.duration import Duration, duration_text, durations_as_text
from hmi.core.tag import Tag

MILLISECOND = 1000


class OpcUaOptions(BaseModel):
    """A server that speaks OPC UA, as written in plant.yaml."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, json_schema_extra=durations_as_text)

    url: Annotated[
        str, Field(pattern=r"^opc\.tcp://[^/\s]+(/\S*)?$", description="For example opc.tcp://10.0.0.5:4840/")
    ]
    publishing_us: Annotated[
        Duration,
        Field(
            alias="publishing", ge=10 * MILLISECOND, le=MINUTE, description="How often the server sends what changed"
        ),
    ] = 100 * MILLISECOND
    keep_alive_us: Annotated[
        Duration,
        Field(
            alias="keep_alive", ge=100 * MILLISECOND, le=MINUTE, description="How often the server is asked if it lives"
        ),
    ] = SECOND
    timeout_us: Annotated[
        Duration,
        Field(alias="timeout", ge=50 * MILLISECOND, le=MINUTE, description="How long an answer may take"),
    ] = 2 * SECOND
    user: Annotated[str | None, Field(description="User name, where the server asks for one")] = None
    password_env: Annotated[
        str | None, Field(description="Name of the environment variable that holds the password")
    ] = None


class OpcUaKind:
    """The entry `opcua` in the table of drivers."""

    options: type[Any] = OpcUaOptions
    sends_changes_only = True

    def check(self, options: OpcUaOptions, tags: Sequence[Tag]) -> list[AddressFault]:
        faults: list[AddressFault] = []
        first: dict[str, Tag] = {}
        for tag in tags:
            message = fault_of(tag.address)
            if message:
                faults.append(AddressFault(tag.name, message, "for example ns=2;s=Zone.FT-401 or ns=2;i=1001"))
                continue
            other = first.setdefault(tag.address.strip(), tag)
            if other is tag:
                continue
            if other.data_type is not tag.data_type:
                faults.append(
                    AddressFault(
                        tag.name, f"the same node as '{other.name}', but {tag.data_type}, not {other.data_type}"
                    )
                )
            elif other.write != tag.write:
                faults.append(
                    AddressFault(
                        tag.name,
                        f"the same node as '{other.name}', but written by other rules",
                        "give both tags the same write rule",
                    )
                )
        return faults

    def describe(self, options: OpcUaOptions, tag: Tag, tags: Sequence[Tag] = ()) -> Mapping[str, str]:
        found = {
            "Read from": f"{tag.device}, OPC UA, node {tag.address}",
            "Device": options.url,
            "Address": tag.address,
            "Type": str(tag.data_type),
        }
        if tag.scale is not None:
            found["Scale"] = f"raw × {tag.scale.factor:g} + {tag.scale.offset:g}"
        others = f", in one subscription with {len(tags) - 1} other tags" if len(tags) > 1 else ""
        found["Sampled"] = (
            f"by the server every {duration_text(tag.period_us)}, "
            f"sent on change every {duration_text(options.publishing_us)}{others}"
        )
        return found

    def make(self, device: Device, tags: Sequence[Tag], clock: Clock) -> Driver:
        # The library behind it takes a second to import, which `hmi check` need not wait for.
        from hmi.drivers.opcua import OpcUaDriver

        return OpcUaDriver(device, tags, clock)


_NODE_ID = re.compile(r"(?:ns=(\d+);)?([isgb])=(.+)", re.DOTALL)


def fault_of(address: str) -> str:
    """What is wrong with a node id; empty if nothing is."""
    match = _NODE_ID.fullmatch(address.strip())
    if match is None:
        return f"'{address}' is not an OPC UA node id"
    namespace, kind, identifier = match.groups()
    if namespace is not None and int(namespace) > 0xFFFF:
        return f"{namespace} is not a namespace index (0 to 65535)"
    if kind == "i" and not (identifier.isdecimal() and int(identifier) <= 0xFFFFFFFF):
        return f"'{identifier}' is not a numeric identifier (0 to 4294967295)"
    if kind == "g":
        try:
            uuid.UUID(identifier)
        except ValueError:
            return f"'{identifier}' is not a GUID"
    if kind == "b":
        try:
            base64.b64decode(identifier, validate=True)
        except (binascii.Error, ValueError):
            return f"'{identifier}' is not base64"
    return ""

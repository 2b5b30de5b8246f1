"""The OPC UA server that all tests of the drivers share."""

from collections.abc import Iterator

import pytest

from tests.drivers.servers import UaPlant


@pytest.fixture(scope="session")
def ua_plant() -> Iterator[UaPlant]:
    plant = UaPlant()
    plant.start()
    try:
        yield plant
    finally:
        plant.stop()

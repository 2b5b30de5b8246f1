"""Small plant folders in memory, for tests that change one thing."""

from collections.abc import Mapping

from hmi.config import load_plant
from hmi.core.plant import Plant
from hmi.core.problem import Problem
from hmi.drivers import DRIVERS

PLANT = """version: 1
name: Small
zone: Europe/Berlin
start: overview
period: 2s
devices:
  PLC-1: {driver: modbus-tcp, host: 127.0.0.1, period: 500ms}
  SIM: {driver: simulator}
"""
TAGS = """name,description,area,device,address,type,unit,low,high,states,write,expr
LT-1,Level,Intake,PLC-1,holding:0,float32,m,0,6,,,
P-1.state,Pump 1,Intake,PLC-1,holding:10,uint16,,,,0=standby|1=running|2=tripped,,
P-1.speed,Pump 1 speed,Intake,PLC-1,holding:11,float32,%,0,100,,yes,
P-2.state,Pump 2,Intake,PLC-1,holding:20,uint16,,,,,,
NOTE,Note,,SIM,memory,text,,,,,,
"""
SCREEN = """version: 1
screen: {title: Overview, level: 1}
elements:
  - {type: text, at: [40, 32], text: River}
"""


def files(**changed: str | None) -> dict[str, str]:
    """The small plant with some files changed: `plant`, `tags`, or a path with `__` for `/`, ending named last."""
    found = {"plant.yaml": PLANT, "tags/tags.csv": TAGS, "screens/overview.yaml": SCREEN}
    for key, text in changed.items():
        name = key.replace("__", "/")
        stem, _, ending = name.rpartition("_")
        name = f"{stem}.{ending}"
        if text is None:
            del found[name]
        else:
            found[name] = text
    return found


def load(environment: Mapping[str, str] | None = None, **changed: str | None) -> tuple[Plant | None, list[Problem]]:
    return load_plant(files(**changed), DRIVERS, environment or {})


def good(environment: Mapping[str, str] | None = None, **changed: str | None) -> Plant:
    """The plant, which must be free of problems."""
    plant, problems = load(environment, **changed)
    assert not problems, "\n".join(map(str, problems))
    assert plant is not None
    return plant


def printed(environment: Mapping[str, str] | None = None, **changed: str | None) -> list[str]:
    return [str(problem) for problem in load(environment, **changed)[1]]


def with_elements(*elements: str) -> str:
    return SCREEN + "".join(f"  - {element}\n" for element in elements)

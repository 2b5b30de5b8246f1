"""Plant folders for the tests of the collector as a whole."""

from pathlib import Path

TAGS = """name,description,device,address,type,unit,period,low,high,write,write_timeout,expr
PLC-1.sequence,Counts its own reads,PLC-1,holding:0,uint32,,{period},,,,,
FT-1,Flow,PLC-1,holding:10,uint16,L/s,{period},0,1000,yes,1s,
FT-2,Flow,PLC-1,holding:11,uint16,L/s,{period},0,1000,,,
FT.sum,Both flows,,,float64,L/s,,,,,,= {{FT-1}} + {{FT-2}}
Stubborn,Accepts and does nothing,PLC-1,holding:50,uint16,,{period},0,1000,yes,1s,
Refusing,Refuses every value,PLC-1,holding:90,uint16,,{period},0,1000,yes,1s,
"""
ALARMS = """version: 1
alarms:
  FT-1:
    high: {limit: 500, priority: high, deadband: 10, text: "Flow high"}
"""
NO_DATABASE = "{dsn_env: HMI_DATABASE_THAT_IS_NOT_THERE}"
SCREEN = """version: 1
screen: {title: Overview, level: 1, size: [1920, 888]}
elements:
  - {type: value, at: [34, 44], size: [288, 48], value: FT-1}
"""


def write_plant(folder: Path, port: int, period: str = "100ms", historian: str = "{}") -> Path:
    """A plant with one Modbus device on a port of this computer. `NO_DATABASE` as historian makes a quick one."""
    files = {
        "plant.yaml": (
            "version: 1\nname: Bench\nzone: Europe/Berlin\nstart: overview\ndevices:\n"
            f"  PLC-1: {{driver: modbus-tcp, host: 127.0.0.1, port: {port}, period: {period}, timeout: 500ms}}\n"
            f"historian: {historian}\n"
        ),
        "tags/bench.csv": TAGS.format(period=period),
        "alarms/bench.yaml": ALARMS,
        "screens/overview.yaml": SCREEN,
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder

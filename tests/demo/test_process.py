"""The devices as a process of their own."""

import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from hmi.demo.process import DemoFailed, start_devices

PARENT = """
import os, sys
from pathlib import Path
from hmi.demo.process import start_devices
devices = start_devices(Path(sys.argv[1]))
print(devices.pid, flush=True)
os._exit(9)
"""

HANGING = """
import asyncio, threading
from hmi.demo.serve import serve_standard_streams
def hang():
    print("hangs", flush=True)
    threading.Event().wait()
async def run():
    # A device that will not end: nothing else of the program gets its turn any more.
    asyncio.get_running_loop().call_later(0.5, hang)
    await serve_standard_streams(end_within_s=1.0)
asyncio.run(run())
"""


def gone(pid: int, seconds: float) -> bool:
    try:
        psutil.Process(pid).wait(seconds)
    except psutil.NoSuchProcess:
        return True
    except psutil.TimeoutExpired:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    return True


def test_that_the_process_serves_obeys_and_ends(tmp_path: Path) -> None:
    with start_devices(tmp_path) as devices:
        assert psutil.pid_exists(devices.pid)
        assert set(devices.environment) >= {"HMI_DEVICE_PLC_1_PORT", "HMI_DEVICE_PLC_2_PORT", "HMI_DEVICE_UA_1_URL"}
        devices.command("trip", "P-302")
        devices.command("leak", "North", 60)
        devices.command("clog", "SC-101")
        devices.command("cut", "PLC-1")
        devices.command("restore", "PLC-1")
        deadline = time.monotonic() + 20
        while not devices.command("served")["served"]["PLC-1"]["sequence"]:
            assert time.monotonic() < deadline, "the PLC does not count"
        assert devices.command("shown")["shown"]["LT-250"] > 3
        with pytest.raises(DemoFailed, match="P-999"):
            devices.command("trip", "P-999")
        with pytest.raises(DemoFailed, match="no command explode"):
            devices.command("explode")
        with pytest.raises(DemoFailed):
            devices.command("leak", "North", "much")
    assert gone(devices.pid, 5)
    with pytest.raises(DemoFailed, match="ended"):
        devices.command("served")
    devices.stop()


def test_that_devices_that_hang_end_all_the_same() -> None:
    command = [sys.executable, "-c", HANGING]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while "hangs" not in process.stdout.readline():
                assert process.poll() is None
            process.stdin.close()
            assert process.wait(15) == 1
            assert "broken off" in process.stderr.read()
        finally:
            process.kill()


def test_that_the_devices_end_with_who_started_them(tmp_path: Path) -> None:
    parent = subprocess.run(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=40,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    assert parent.returncode == 9, parent.stderr
    assert gone(int(parent.stdout), 20)


def test_that_a_killed_process_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    devices = start_devices(tmp_path)
    psutil.Process(devices.pid).kill()
    try:
        with pytest.raises(DemoFailed, match="ended"):
            devices.command("served")
    finally:
        devices.stop()

"""What the tests watch beside their own assertions: the log, Qt's warnings, and threads that stay behind."""

import re
import subprocess
import sys
from pathlib import Path

GUARDED = """
import logging, threading
import pytest
from PySide6.QtCore import qWarning

def test_log():
    logging.getLogger("hmi").warning("the spool is %d %% full", 80)

@pytest.mark.logs("spool")
def test_expected_log():
    logging.getLogger("hmi").warning("the spool is full")

def test_qt():
    qWarning("no such font")

def test_thread():
    threading.Thread(target=threading.Event().wait, name="poller", daemon=True).start()
"""


def test_that_what_a_test_leaves_or_logs_unexpectedly_fails_it(checkout: Path, tmp_path: Path) -> None:
    file = tmp_path / "test_guarded.py"
    file.write_text(GUARDED, "utf-8")
    settings = ["-c", str(checkout / "pyproject.toml"), "--rootdir", str(tmp_path), "-p", "tests.conftest", "-rA"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *settings, "-p", "no:cacheprovider", str(file)],
        cwd=checkout,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    summary = done.stdout.partition("short test summary info")[2]
    for verdict in (
        "ERROR .*::test_log",
        "PASSED .*::test_expected_log",
        "FAILED .*::test_qt",
        "ERROR .*::test_thread",
    ):
        assert re.search(verdict, summary), done.stdout
    for complaint in (
        "WARNING hmi: the spool is 80 % full",
        "no such font",
        "these threads outlived the test: ['poller']",
    ):
        assert complaint in done.stdout
    assert "1 failed, 3 passed, 2 errors" in summary

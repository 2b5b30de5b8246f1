"""What the tests of the whole program share: the command line as a user has it, in a home of its own."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.history.test_timescale import timescale
from tests.system.program import Program

__all__ = ["program", "timescale"]


@pytest.fixture
def program() -> Iterator[Program]:
    """`hmi` with an empty home; whatever a test leaves running is ended after it."""
    # Not pytest's folder, which is closed to the user that PostgreSQL runs as for root.
    folder = Path(tempfile.mkdtemp(prefix="hmi-"))
    folder.chmod(0o755)
    own = Program(folder)
    yield own
    own.end_all()
    shutil.rmtree(folder, ignore_errors=True)

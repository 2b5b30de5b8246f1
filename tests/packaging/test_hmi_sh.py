"""`./hmi.sh` makes, keeps and repairs the environment that the program runs in; shown on a small program."""

import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

PROGRAM = (
    "import sys, typing_extensions\nprint('started with', *sys.argv[1:])\nsys.exit(3 if 'bad' in sys.argv else 0)\n"
)
TOOLS = """
    apt-cache cat cut dirname env flock grep mkdir mktemp mv python3 readlink rm sed sh sha256sum sort tail tr
"""


@pytest.fixture(scope="module")
def small(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of a program so small that its environment is made in seconds, after its first start."""
    folder = tmp_path_factory.mktemp("small") / "with space"
    (folder / "hmi").mkdir(parents=True)
    (folder / "hmi/__main__.py").write_text(PROGRAM, "utf-8")
    shutil.copy(checkout / "hmi.sh", folder)
    shutil.copy(checkout / "requirements-uv.txt", folder)
    locked = re.search(
        r"^typing-extensions==.*?(?=^\S|\Z)",
        (checkout / "requirements.txt").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
    assert locked is not None
    (folder / "requirements.txt").write_text(locked[0], "utf-8")
    first = start(folder, "version")
    assert first.returncode == 0, first.stderr
    assert first.stdout == "started with version\n"
    assert "making a private environment" in first.stderr
    return folder


def start(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [folder / "hmi.sh", *arguments],
        cwd="/",
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def test_that_the_second_start_installs_nothing_and_costs_the_shell_less_than_a_tenth_of_a_second(small: Path) -> None:
    python = small / ".venv/bin/python"
    shell_s = []
    for _ in range(5):
        began = time.perf_counter()
        second = start(small, "version")
        whole = time.perf_counter() - began
        began = time.perf_counter()
        subprocess.run([python, "-m", "hmi"], cwd=small, capture_output=True, check=True)
        shell_s.append(whole - (time.perf_counter() - began))
        assert (second.stdout, second.stderr) == ("started with version\n", "")
    assert min(shell_s) < 0.1


def test_that_arguments_and_the_exit_code_pass_through(small: Path) -> None:
    done = start(small, "check", "my plant", "bad")
    assert (done.returncode, done.stdout) == (3, "started with check my plant bad\n")


def test_that_an_installation_that_broke_off_is_repaired_by_the_next_start(small: Path) -> None:
    (small / ".venv/.hindsight").unlink()
    (small / ".venv/.unfinished").touch()
    next((small / ".venv/lib").glob("python*/site-packages/typing_extensions.py")).unlink()
    done = start(small, "version")
    assert done.stdout == "started with version\n"
    assert "repairing" in done.stderr


@pytest.mark.long
def test_that_a_package_mirror_that_pip_was_told_of_serves_everything(small: Path, tmp_path: Path) -> None:
    requirements = small / "requirements.txt"
    requirements.write_text(requirements.read_text("utf-8") + "# changed\n", "utf-8")
    with socket.socket() as nobody:
        # Bound and not listening: whoever asks this mirror is refused, and says so.
        nobody.bind(("127.0.0.1", 0))
        mirror = f"http://127.0.0.1:{nobody.getsockname()[1]}/simple"
        done = start(
            small, "version", PIP_INDEX_URL=mirror, UV_HTTP_RETRIES="0", UV_CACHE_DIR=str(tmp_path), UV_REINSTALL="1"
        )
    assert done.returncode == 1
    assert mirror in done.stderr
    assert "start again when the network is back" in done.stderr
    assert start(small, "version").stdout == "started with version\n"


@pytest.mark.long
def test_that_an_environment_that_was_moved_is_made_anew(small: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(small, moved, symlinks=True)
    done = start(moved, "version")
    assert done.stdout == "started with version\n"
    assert "making it anew" in done.stderr


@pytest.mark.skipif(not shutil.which("apt-get"), reason="how Debian's packages are installed shows on Debian only")
def test_that_a_user_who_may_not_install_is_told_the_line_for_the_administrator(small: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(small, bare, ignore=shutil.ignore_patterns(".venv"))
    # A system without the libraries, where this user is not root and sudo is not installed.
    system = tmp_path / "bin"
    system.mkdir()
    for tool in TOOLS.split():
        found = shutil.which(tool)
        assert found is not None, tool
        (system / tool).symlink_to(found)
    for tool, says in {"ldconfig": "", "apt-get": "", "id": "1000"}.items():
        (system / tool).write_text(f"#!/bin/sh\necho {says}\n", "utf-8")
        (system / tool).chmod(0o755)
    done = start(bare, "version", PATH=str(system))
    assert done.returncode == 1
    assert re.search(
        r"As root, run:\n +apt-get install --no-install-recommends .*libegl1 .*libxcb-cursor0", done.stderr
    )
    assert not (bare / ".venv").exists()

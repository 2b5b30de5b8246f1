"""The PostgreSQL that comes with the program: made, started, adopted, recovered and stopped with its leases."""

import hashlib
import json
import logging
import os
import secrets
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg

from hmi.core.clock import SECOND, Clock, SystemClock
from hmi.history import guard
from hmi.history.binaries import (
    PROGRAMS_VARIABLE,
    ROOT_FOLDER,
    DatabaseUnavailableError,
    Programs,
    child_rights,
    find_programs,
)
from hmi.history.lock import FileLock, LockHeldError

log = logging.getLogger(__name__)
_SOCKET_LIMIT = 100
_PORT = 5432
_SOCKET_LINE = 4
_GATE_S = 900.0
_START_S = 600.0
_STOP_S = 60.0
_ORPHANS_S = 20.0
_LOOK_S = 0.03

_SETTINGS = {
    "max_connections": "40",
    "shared_buffers": "128MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "512MB",
    "wal_compression": "on",
    "checkpoint_timeout": "15min",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_filename": "postgresql-%w.log",
    "log_truncate_on_rotation": "on",
    "log_rotation_age": "1d",
    "log_rotation_size": "0",
    "log_min_messages": "warning",
}


class EmbeddedPostgres:
    """One database cluster in `folder`, for one plant. Safe to use from several threads and processes.

    It runs as long as anybody holds a lease. A guard process ends it after the last holder, also after one that was
    killed. On Unix it listens on a socket that only its own user can reach, on Windows on a loopback port with a
    password. As root, PostgreSQL and its data belong to an unprivileged user, and lie under `/var/lib/hindsight`
    where that user cannot reach `folder`.
    """

    def __init__(self, folder: Path, log: Callable[[str], None] = log.info) -> None:
        self.folder = folder.absolute()
        self._log = log
        self._clock: Clock = SystemClock()
        self._guarded = threading.RLock()
        self._own: FileLock | None = None
        self._programs: Programs | None = None
        self._cluster: Path | None = None

    def start(self) -> str:
        """Hold a lease of our own and return the DSN of a server that answers. May take seconds, minutes in recovery.

        May be called again at any time: a server that died is started anew. Raises `DatabaseUnavailableError`.
        """
        with self._guarded:
            if self._own is None:
                self._own = self._new_lease("start")
            try:
                return self._running()
            except BaseException:
                self._end_lease(self._own)
                self._own = None
                raise

    def stop(self) -> None:
        """Give our own lease back. The server stops if nobody else holds one."""
        with self._guarded:
            if self._own is not None:
                own, self._own = self._own, None
                self._end_lease(own)

    @contextmanager
    def lease(self, who: str) -> Iterator[str]:
        """Hold a lease for the length of a `with`; gives the DSN. `who` is what others see in `holders`.

        Raises `DatabaseUnavailableError`.
        """
        with self._guarded:
            held = self._new_lease(who)
            try:
                dsn = self._running()
            except BaseException:
                self._end_lease(held)
                raise
        try:
            yield dsn
        finally:
            with self._guarded:
                self._end_lease(held)

    def holders(self) -> list[str]:
        """Who holds a lease, such as `export (process 4711)`."""
        found = []
        for path in sorted((self._place() / "leases").glob("*.lease")):
            probe = FileLock(path)
            if probe.take():
                probe.release()
            else:
                found.append(path.read_text(encoding="utf-8", errors="replace"))
        return found

    # ------------------------------------------------------------------ leases

    def _gate(self) -> FileLock:
        """The lock under which leases and the server begin and end."""
        gate = FileLock(self._place() / "start.lock")
        try:
            gate.wait(_GATE_S, self._clock)
        except LockHeldError as error:
            raise DatabaseUnavailableError(
                f"another process is busy with the database for too long ({error})"
            ) from error
        return gate

    def _new_lease(self, who: str) -> FileLock:
        leases = self._place() / "leases"
        with self._gate():
            for path in leases.glob("*.lease"):
                dead = FileLock(path)
                if dead.take():
                    path.unlink(missing_ok=True)
                    dead.release()
            held = FileLock(leases / f"{os.getpid()}-{secrets.token_hex(4)}.lease")
            # The guard looks at every lease by trying its lock, so that the first try can fail.
            held.wait(5, self._clock)
            held.write(f"{who} (process {os.getpid()})")
            return held

    def _end_lease(self, held: FileLock) -> None:
        with self._gate():
            held.path.unlink(missing_ok=True)
            held.release()
            if self.holders():
                return
            pid = self._postmaster()
            if pid is not None:
                self._end_server(pid)

    # ------------------------------------------------------------------ server

    def _running(self) -> str:
        """Start or adopt the server and return its DSN once it answers."""
        with self._gate():
            place = self._place()
            programs = self._found()
            self._make_cluster(programs)
            pid = self._postmaster()
            started = pid is None
            if started:
                (place / "data" / "postmaster.pid").unlink(missing_ok=True)
            dsn = self._dsn()
            guarding = self._start_guard(programs, pid) if started or self._guard_is_gone() else None
            self._wait_until_it_answers(dsn, programs, guarding, started)
            try:
                return self._database(dsn)
            except psycopg.Error as error:
                raise DatabaseUnavailableError(f"the database went away again: {error}") from error

    def _found(self) -> Programs:
        if self._programs is None:
            self._programs = find_programs(self._log)
        return self._programs

    def _place(self) -> Path:
        """Where cluster, socket and leases are: `folder`, or below ROOT_FOLDER where PostgreSQL's user cannot go."""
        if self._cluster is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            place = self.folder
            user = self._found().user
            if user is not None and not _reachable(place, user):
                _drop_orphaned_clusters()
                place = ROOT_FOLDER / "clusters" / hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
                place.mkdir(parents=True, exist_ok=True)
                (place / "belongs_to").write_text(str(self.folder), encoding="utf-8")
                (self.folder / "database_is_in").write_text(str(place), encoding="utf-8")
                self._log(f"the user '{user}' cannot reach {self.folder}; the database is in {place}")
            (place / "leases").mkdir(exist_ok=True)
            self._cluster = place
        return self._cluster

    def _make_cluster(self, programs: Programs) -> None:
        data = self._place() / "data"
        if (data / "PG_VERSION").is_file():
            made_by = (data / "PG_VERSION").read_text(encoding="ascii").strip()
            if made_by != programs.major:
                raise DatabaseUnavailableError(
                    f"the database in {data} was made by PostgreSQL {made_by}, and the program here is "
                    f"{programs.version}. Name the folder of PostgreSQL {made_by} in {PROGRAMS_VARIABLE}."
                )
            return
        self._log(f"making a new database in {data}")
        unfinished = data.with_name("data.unfinished")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        _give_to(unfinished, programs.user)
        command = [str(programs.path("initdb")), "-D", str(unfinished), "-U", "hindsight", "--encoding=UTF8"]
        command += (
            ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
            if int(programs.major) >= 17
            else ["--no-locale"]
        )
        if os.name == "nt":
            secret = self._password_file()
            command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        else:
            # The socket's folder has mode 0700: whoever gets there is the owner or root.
            command += ["--auth-local=trust", "--auth-host=reject"]
        self._run(command, programs)
        unfinished.rename(data)

    def _run(self, command: list[str], programs: Programs) -> None:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, check=False, cwd=_neutral(), **programs.rights()
        )
        if done.returncode:
            words = (done.stderr or done.stdout).strip().splitlines()
            raise DatabaseUnavailableError(f"{Path(command[0]).name} failed: {' '.join(words[-4:])}")

    def _start_guard(self, programs: Programs, adopt: int | None) -> subprocess.Popen[bytes]:
        place = self._place()
        data = place / "data"
        settings = {**_SETTINGS, **self._where_to_listen(programs)}
        command = [str(programs.path("postgres")), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        identity = child_rights(programs.user)
        order = {
            "adopt": adopt,
            "command": command,
            "cwd": _neutral() or str(place),
            "environment": {k: v for k, v in os.environ.items() if not k.startswith("PG")},
            "uid": identity.get("user"),
            "gid": identity.get("group"),
            "pid_file": str(data / "postmaster.pid"),
            "stop": [str(programs.path("pg_ctl")), "stop", "-m", "fast", "-D", str(data)],
        }
        with (place / "server.log").open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-I", "-S", str(Path(guard.__file__)), str(place)],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=output,
                cwd=_neutral(),
                creationflags=0x00000208 if os.name == "nt" else 0,
                start_new_session=os.name != "nt",
            )
        if process.stdin is not None:
            process.stdin.write(json.dumps(order).encode() + b"\n")
            process.stdin.close()
        # Reaped whenever it ends, so that it never stays as a zombie of ours.
        threading.Thread(target=process.wait, name="database guard", daemon=True).start()
        return process

    def _guard_is_gone(self) -> bool:
        probe = FileLock(self._place() / "guard.lock")
        if probe.take():
            probe.release()
            return True
        return False

    def _wait_until_it_answers(
        self, dsn: str, programs: Programs, guarding: subprocess.Popen[bytes] | None, started: bool
    ) -> None:
        """Return when the server answers. One that was found running and dies now is started anew."""
        begin_us = self._clock.monotonic_us()
        pause = threading.Event()
        again_until_us = begin_us + int(_ORPHANS_S * SECOND)
        told = False
        while True:
            try:
                psycopg.connect(f"{dsn} dbname=postgres", connect_timeout=10).close()
                return
            except psycopg.OperationalError as error:
                why = str(error).strip()
            now_us = self._clock.monotonic_us()
            if not told and now_us - begin_us > 3 * SECOND:
                told = True
                self._log("the database is recovering from an abrupt end; this can take a while")
            ended = self._guard_is_gone() if guarding is None else guarding.poll() is not None
            if ended:
                said = self._last_words()
                # Processes of a server that was killed still hold its memory for a moment.
                orphans = "shared memory" in said or "is still in use" in said or "lock file" in said
                if started and (not orphans or now_us > again_until_us):
                    raise DatabaseUnavailableError(f"the database does not start: {said or why}")
                started = True
                if self._postmaster() is None:
                    (self._place() / "data" / "postmaster.pid").unlink(missing_ok=True)
                guarding = self._start_guard(programs, None)
            if now_us - begin_us > _START_S * SECOND:
                raise DatabaseUnavailableError(f"the database did not answer within {_START_S:.0f} s: {why}")
            pause.wait(_LOOK_S)

    def _last_words(self) -> str:
        lines: list[str] = []
        for path in [self._place() / "server.log", *sorted((self._place() / "data" / "log").glob("*.log"))[-1:]]:
            if path.is_file():
                lines += path.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-4:]
        return " ".join(lines)

    def _database(self, dsn: str) -> str:
        """Make the database within the cluster if it is not there, and return the DSN that names it."""
        with psycopg.connect(f"{dsn} dbname=postgres", autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = 'hindsight'").fetchone()
            if found is None:
                connection.execute("CREATE DATABASE hindsight")
        return f"{dsn} dbname=hindsight"

    def _end_server(self, pid: int) -> None:
        programs = self._found()
        if os.name == "nt":
            stop = [str(programs.path("pg_ctl")), "stop", "-m", "fast", "-D", str(self._place() / "data")]
            self._run(stop, programs)
            return
        os.kill(pid, signal.SIGINT)
        pause = threading.Event()
        end_us = self._clock.monotonic_us() + int(_STOP_S * SECOND)
        while self._postmaster() == pid or not self._guard_is_gone():
            if self._clock.monotonic_us() > end_us:
                self._log(f"the database (process {pid}) did not stop within {_STOP_S:.0f} s and is ended at once")
                if self._postmaster() == pid:
                    os.kill(pid, signal.SIGQUIT)
                return
            pause.wait(_LOOK_S)

        if self._socket_folder().parent != self._place():
            shutil.rmtree(self._socket_folder(), ignore_errors=True)

    def _postmaster(self) -> int | None:
        """The process id of the server on our data, or None: a pid file may name a process that is something else."""
        data = self._place() / "data"
        try:
            pid = int((data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").split("\n", 1)[0])
            process = psutil.Process(pid)
            if process.status() == psutil.STATUS_ZOMBIE or "postgres" not in process.name():
                return None
            if Path(process.cwd()).resolve() == data.resolve() or str(data) in process.cmdline():
                return pid
        except (OSError, ValueError, psutil.NoSuchProcess):
            return None
        except psutil.AccessDenied:
            # A process of another user is not one that we started.
            return None
        return None

    # ------------------------------------------------------------------ where it listens

    def _where_to_listen(self, programs: Programs) -> dict[str, str]:
        if os.name == "nt":
            return {"listen_addresses": "127.0.0.1", "port": str(self._port())}
        folder = self._socket_folder()
        if not folder.exists():
            folder.mkdir(mode=0o700)
            _give_to(folder, programs.user)
        self._check_socket_folder(folder, programs)
        return {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "unix_socket_permissions": "0700",
            "port": str(_PORT),
        }

    def _check_socket_folder(self, folder: Path, programs: Programs) -> None:
        found = folder.lstat()
        owner = programs.rights().get("user", os.geteuid())
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) & 0o077:
            raise DatabaseUnavailableError(f"{folder} can be opened by others than the database's user; remove it")

    def _socket_folder(self) -> Path:
        """Beside the data, or in a short path where that is too long for a socket."""
        place = self._place() / "socket"
        if len(os.fsencode(place)) <= _SOCKET_LIMIT - len("/.s.PGSQL.5432.lock"):
            return place
        return Path(tempfile.gettempdir()) / f"hindsight-{hashlib.sha256(str(place).encode()).hexdigest()[:16]}"

    def _dsn(self) -> str:
        """Where the running server listens, or where one that we start will."""
        if os.name == "nt":
            password = self._password_file().read_text(encoding="ascii").strip()
            return f"host=127.0.0.1 port={self._port()} user=hindsight password={password}"
        folder = self._socket_folder()
        if self._postmaster() is not None:
            # Whoever started it may have had another folder for temporary files.
            lines = (self._place() / "data" / "postmaster.pid").read_text(encoding="utf-8").split("\n")
            if len(lines) > _SOCKET_LINE and lines[_SOCKET_LINE].startswith("/"):
                folder = Path(lines[_SOCKET_LINE])
        return f"host='{folder}' port={_PORT} user=hindsight"

    def _password_file(self) -> Path:
        path = self._place() / "password"
        if not path.exists():
            path.write_text(secrets.token_urlsafe(24) + "\n", encoding="ascii")
        return path

    def _port(self) -> int:
        """A port of our own, chosen once per cluster."""
        path = self._place() / "port"
        if not path.exists():
            import socket

            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                path.write_text(str(probe.getsockname()[1]), encoding="ascii")
        return int(path.read_text(encoding="ascii"))


def _neutral() -> str | None:
    """A working folder that every user can enter."""
    return "/" if os.name == "posix" else None


def _give_to(path: Path, user: str | None) -> None:
    if user is not None:
        identity = child_rights(user)
        os.chown(path, identity["user"], identity["group"])


def _reachable(folder: Path, user: str) -> bool:
    """Whether `user` can enter the folder, by every folder above it."""
    done = subprocess.run(
        ["test", "-x", str(folder)], cwd="/", check=False, capture_output=True, timeout=10, **child_rights(user)
    )
    return done.returncode == 0


def _drop_orphaned_clusters() -> None:
    """Remove moved clusters of temporary folders that are gone. Others stay: their disk may only be away."""
    temporary = Path(tempfile.gettempdir()).resolve()
    for note in (ROOT_FOLDER / "clusters").glob("*/belongs_to"):
        owner = Path(note.read_text(encoding="utf-8"))
        if temporary not in owner.parents or owner.exists():
            continue
        with FileLock(note.parent / "guard.lock") as guarded:
            if guarded.take():
                shutil.rmtree(note.parent, ignore_errors=True)

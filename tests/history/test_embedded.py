"""The embedded PostgreSQL: whoever needs it has it, nobody's death leaves it running or broken."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path

import psutil
import psycopg
import pytest

import hmi
from hmi.history.binaries import DatabaseUnavailableError
from hmi.history.embedded import EmbeddedPostgres
from tests.history.conftest import AS_ROOT, until

SITE = Path(psycopg.__file__).resolve().parent.parent


def postmaster(folder: Path) -> int:
    return int((folder / "data" / "postmaster.pid").read_text().split("\n")[0])


def rows(dsn: str) -> int:
    with psycopg.connect(dsn) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_that_the_server_stops_with_its_last_lease_and_starts_again_with_its_data(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    with server.lease("export") as dsn:
        with psycopg.connect(dsn) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 100)")
        pid = postmaster(server_folder)
        other = EmbeddedPostgres(server_folder)
        assert other.start() == dsn
        assert sorted(h.split(" (")[0] for h in server.holders()) == ["export", "start"]
    assert rows(dsn) == 100
    assert not gone(pid)
    other.stop()
    until(lambda: gone(pid))
    assert server.holders() == []
    assert rows(other.start()) == 100
    other.stop()


def test_that_a_killed_server_recovers_with_all_that_was_committed(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    dsn = server.start()
    connection = psycopg.connect(dsn)
    connection.execute("CREATE TABLE kept (n int8)")
    connection.commit()
    connection.execute("INSERT INTO kept SELECT generate_series(1, 20000)")
    connection.commit()
    connection.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
    os.kill(postmaster(server_folder), signal.SIGKILL)
    assert server.start() == dsn
    assert rows(dsn) == 20_000
    connection.close()
    pid = postmaster(server_folder)
    server.stop()
    until(lambda: gone(pid))


def test_that_a_pid_file_left_by_a_power_failure_does_not_keep_the_server_down(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    server.start()
    server.stop()
    # After the reboot another program has the number that the server had.
    stranger = subprocess.Popen(["sleep", "30"])
    left = server_folder / "data" / "postmaster.pid"
    left.write_text(
        f"{stranger.pid}\n{server_folder / 'data'}\n1700000000\n5432\n{server_folder / 'socket'}\n\n  1 1\nready\n"
    )
    shutil.chown(left, *[server_folder.joinpath("data").stat().st_uid] * 1)
    try:
        with psycopg.connect(server.start()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
        assert stranger.poll() is None
    finally:
        server.stop()
        stranger.kill()
        stranger.wait(10)


def _holder(folder: Path, python: str = sys.executable, **options: object) -> subprocess.Popen[str]:
    """A process that holds a lease until it is killed."""
    code = f"""
        import sys
        sys.path[:0] = [{str(Path(hmi.__file__).parent.parent)!r}, {str(SITE)!r}]
        from pathlib import Path
        from hmi.history.embedded import EmbeddedPostgres
        print(EmbeddedPostgres(Path({str(folder)!r})).start(), flush=True)
        sys.stdin.read()
    """
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [python, "-c", textwrap.dedent(code)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        **options,
    )


def test_that_the_server_does_not_outlive_an_owner_that_was_killed(server_folder: Path) -> None:
    holder = _holder(server_folder)
    assert holder.stdout is not None
    assert holder.stdin is not None
    assert "dbname" in holder.stdout.readline()
    pid = postmaster(server_folder)
    holder.kill()
    holder.communicate()
    until(lambda: gone(pid), what="the guard ends the server")
    assert EmbeddedPostgres(server_folder).holders() == []


def test_that_the_server_goes_on_for_whoever_is_left_when_one_owner_is_killed(server_folder: Path) -> None:
    holder = _holder(server_folder)
    assert holder.stdout is not None
    holder.stdout.readline()
    pid = postmaster(server_folder)
    mine = EmbeddedPostgres(server_folder)
    dsn = mine.start()
    holder.kill()
    holder.communicate()
    until(lambda: len(mine.holders()) == 1)
    # The guard has looked at least twice meanwhile.
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT pg_sleep(1.2)")
    assert postmaster(server_folder) == pid
    mine.stop()
    until(lambda: gone(pid))


def test_that_a_server_whose_guard_was_killed_is_adopted_and_ended(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    server.start()
    pid = postmaster(server_folder)
    guard = psutil.Process(pid).parent()
    assert guard is not None
    assert any("guard.py" in part for part in guard.cmdline())
    guard.kill()
    until(lambda: gone(guard.pid))
    dsn = server.start()
    assert postmaster(server_folder) == pid
    with psycopg.connect(dsn) as connection:
        connection.execute("SELECT 1")
    server.stop()
    until(lambda: gone(pid))


def test_that_data_of_another_version_are_left_alone_and_named(server_folder: Path) -> None:
    server = EmbeddedPostgres(server_folder)
    server.start()
    server.stop()
    (server_folder / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(DatabaseUnavailableError, match="was made by PostgreSQL 12"):
        server.start()
    assert server.holders() == []


def test_that_a_folder_with_a_long_path_gets_a_socket_elsewhere(
    open_folder: Path, made_cluster: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = open_folder / ("x" * 60) / ("y" * 60)
    deep.mkdir(parents=True)
    subprocess.run(["cp", "-a", str(made_cluster), str(deep / "data")], check=True)
    with EmbeddedPostgres(deep).lease("test") as dsn, psycopg.connect(dsn) as connection:
        assert connection.info.host.startswith(f"{tempfile.gettempdir()}/hindsight-")
        # Another process may have another folder for temporary files.
        monkeypatch.setattr(tempfile, "tempdir", str(open_folder))
        with EmbeddedPostgres(deep).lease("other") as same:
            assert same == dsn


@pytest.mark.skipif(not AS_ROOT, reason="only root has to hand the database to another user")
def test_that_root_runs_the_server_as_an_unprivileged_user_and_changes_no_folder_above(tmp_path: Path) -> None:
    # pytest's folder is closed to everybody but root.
    before = [p.stat().st_mode for p in tmp_path.parents]
    server = EmbeddedPostgres(tmp_path / "plant")
    with server.lease("test") as dsn, psycopg.connect(dsn) as connection:
        row = connection.execute("SHOW data_directory").fetchone()
        assert row is not None
        pid = postmaster(Path(row[0]).parent)
        assert psutil.Process(pid).uids().effective != 0
    assert [p.stat().st_mode for p in tmp_path.parents] == before
    shutil.rmtree(Path(row[0]).parent)


@pytest.mark.skipif(not AS_ROOT, reason="an ordinary user runs all other tests as one")
def test_that_an_ordinary_user_runs_the_server_as_himself(open_folder: Path) -> None:
    import pwd

    needed = [Path(__file__).resolve(), Path(sys.prefix).resolve() / "lib"]
    closed = [p for path in needed for p in path.parents if not p.stat().st_mode & 0o001]
    if closed:
        pytest.skip(f"no other user can enter {closed[0]}, where this checkout lies: './hmi.sh test' as one does this")
    user = pwd.getpwnam("nobody")
    home = open_folder / "plant"
    home.mkdir()
    os.chown(home, user.pw_uid, user.pw_gid)
    python = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    holder = _holder(home, python, user=user.pw_uid, group=user.pw_gid, extra_groups=[], cwd="/")
    assert holder.stdout is not None
    assert "dbname" in holder.stdout.readline()
    pid = postmaster(home)
    assert psutil.Process(pid).uids().effective == user.pw_uid
    assert (home / "socket").stat().st_mode & 0o077 == 0
    holder.communicate("", timeout=20)
    until(lambda: gone(pid))

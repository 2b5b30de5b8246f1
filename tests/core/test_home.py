"""Where a plant's collector is found: by every login of its user."""

import os
from pathlib import Path

import pytest

from hmi.core.home import home_of

posix = pytest.mark.skipif(os.name == "nt", reason="Windows has no Unix sockets and no limit to their paths")


def test_that_the_collector_is_reached_the_same_from_the_desk_from_ssh_and_from_cron(tmp_path: Path) -> None:
    login = {"HOME": str(tmp_path)}
    desk = home_of(tmp_path / "well", {**login, "XDG_RUNTIME_DIR": "/run/user/1000"})
    assert home_of(tmp_path / "well", login) == desk
    assert "/run/user" not in str(desk.socket)


def test_that_the_socket_lies_in_the_home_of_the_plant(tmp_path: Path) -> None:
    home = home_of(tmp_path / "well", {"HMI_HOME": "/srv/h"})
    assert home.socket.parent == home.folder
    assert home_of(tmp_path / "well", {"HMI_HOME": "/srv/h"}).socket == home.socket


@posix
def test_that_a_home_with_a_long_path_has_a_short_socket_of_its_own() -> None:
    first, second = (home_of(Path(name), {"HMI_HOME": "/srv/" + 30 * "long"}) for name in ("well", "spring"))
    assert first.socket != second.socket
    for home in (first, second):
        assert len(os.fsencode(home.socket)) <= 100
        assert home.socket.parent == Path(f"/tmp/hindsight-{os.getuid()}")


def test_that_a_relative_home_is_the_same_for_a_collector_that_starts_in_another_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = home_of(tmp_path / "well", {"HMI_HOME": "home"})
    assert home == home_of(tmp_path / "well", {"HMI_HOME": str(tmp_path / "home")})

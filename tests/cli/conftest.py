"""A real PostgreSQL for the commands that read history."""

from tests.history.conftest import dsn, made_cluster, open_folder, postgres, way

__all__ = ["dsn", "made_cluster", "open_folder", "postgres", "way"]

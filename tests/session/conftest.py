"""A recorded hour of a small plant in a real PostgreSQL, for replaying it."""

from tests.history.conftest import dsn, made_cluster, open_folder, postgres, way

__all__ = ["dsn", "made_cluster", "open_folder", "postgres", "way"]

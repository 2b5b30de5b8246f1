"""What was: the spool on disk, its way into PostgreSQL or TimescaleDB, and reading it back. No Qt, no devices."""

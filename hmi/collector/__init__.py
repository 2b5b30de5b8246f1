"""The collector: polls devices, judges alarms, records history and holds the one gate for writes. Knows no view."""

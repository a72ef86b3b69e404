"""Measurements of lstmcast as users run it; see `python -m benchmarks.accuracy --help`."""

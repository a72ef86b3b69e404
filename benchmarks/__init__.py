"""Measurements of the product as a user meets it; `python -m benchmarks.accuracy --help` is the way in."""

"""A plugin of pytest that tells coverage which test is running, with its fixtures."""

from collections.abc import Iterator

import coverage
import pytest


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Count what is run from here on for this test."""
    current = coverage.Coverage.current()
    assert current is not None
    current.switch_context(item.nodeid)
    yield
    current.switch_context("")

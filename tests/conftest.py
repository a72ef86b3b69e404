"""What the tests share: the place of real data, one thread a process, and repeatable cases."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

# Set before torch or numpy is loaded, and inherited by every program that a test starts.
os.environ.setdefault("OMP_NUM_THREADS", "1")
# A job in the background ignores Ctrl-C, and so would all programs that a test starts and
# interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)

# A change is judged by the same cases as the one before it; `pytest --hypothesis-profile=default`
# looks for new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None)
settings.load_profile("repeatable")

ROOT = Path(__file__).resolve().parent.parent
SAMPLE_DATA = ROOT / "sample_data"
SHARED_DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
"""Real data sets used where they lie; not part of the project, so tests that need them skip where
they are absent."""


def shared_file(name: str) -> Path:
    """Path of `name` under SHARED_DATA; skips the test where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip(
            f"needs real data: there is no {SHARED_DATA} (set SHARED_DATA to the folder)"
        )
    path = SHARED_DATA / name
    if not path.exists():
        pytest.skip(f"needs real data: there is no {path}")
    return path


@pytest.fixture
def shared() -> Callable[[str], Path]:
    """`shared("m4/m4_weekly_train.parquet")` gives the path, or skips the test with the reason."""
    return shared_file


@pytest.fixture
def sample() -> Path:
    """The folder of small files that ship with the project."""
    return SAMPLE_DATA

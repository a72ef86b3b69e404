"""--backend, --scheduler and --insecure: the same result everywhere, and nothing unencrypted."""

from pathlib import Path

import pytest

from tests.cli.conftest import Program, write_months

SCORED = (
    "backtest",
    "data.csv",
    "--target",
    "price",
    "--windows",
    "2",
    "--steps",
    "0",
    "-q",
)
ELSEWHERE = [pytest.param("dask"), pytest.param("ray", marks=pytest.mark.slow)]


@pytest.mark.parametrize("backend", ELSEWHERE)
def test_a_backtest_is_the_same_bytes_on_every_engine(
    lstmcast: Program, tmp_path: Path, backend: str
) -> None:
    write_months(tmp_path / "data.csv", 60)
    pytest.importorskip({"dask": "distributed"}.get(backend, backend))
    here = lstmcast(*SCORED)
    there = lstmcast(*SCORED, "--backend", backend, "-j", "2")
    assert (there.returncode, there.stderr) == (0, "")
    assert there.stdout == here.stdout


def test_a_scheduler_on_another_machine_needs_tls_or_leave(lstmcast: Program) -> None:
    done = lstmcast(
        *SCORED, "--backend", "dask", "--scheduler", "tcp://cluster.example:8786"
    )
    assert done.returncode == 2
    assert "not encrypted" in done.stderr and "--insecure" in done.stderr


def test_a_scheduler_goes_with_a_backend_that_has_one(lstmcast: Program) -> None:
    done = lstmcast(*SCORED, "--scheduler", "127.0.0.1:8786")
    assert done.returncode == 2
    assert "--backend dask" in done.stderr

"""`--device` as a user meets it."""

from pathlib import Path

import pytest
import torch

from tests.cli.conftest import Program
from tests.conftest import SAMPLE_DATA


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_an_error_of_usage_in_two_lines(
    lstmcast: Program, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    done = lstmcast(
        "fit",
        str(SAMPLE_DATA / "co2.csv"),
        "--target",
        "co2",
        "--device",
        "cuda",
        "--out",
        str(run),
    )
    assert done.returncode == 2
    assert done.stdout == ""
    lines = [
        line
        for line in done.stderr.splitlines()
        if "cuda" in line or "--device cpu" in line
    ]
    assert len(lines) == 2
    assert not run.exists()

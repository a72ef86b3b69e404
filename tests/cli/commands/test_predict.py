import io
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd

from tests.cli.conftest import Program, on_terminal, run_program


def predict(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_program("predict", "runs/old-price", *arguments, cwd=folder)


def table(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text))


def test_more_steps_than_trained_go_on_from_the_trained_ones_with_wider_intervals(
    fitted: Path,
) -> None:
    longer = predict(fitted, "--horizon", 40)
    assert longer.returncode == 0, longer.stderr
    first, more = table(predict(fitted).stdout), table(longer.stdout)
    assert (len(first), len(more)) == (12, 40)
    np.testing.assert_allclose(more["forecast"][:12], first["forecast"], rtol=1e-6)
    width = more["q90"] - more["q10"]
    assert width[28:].mean() > width[:12].mean()


def test_with_data_the_forecast_goes_on_from_its_last_row(fitted: Path) -> None:
    forecast = table(
        predict(
            fitted, "new.csv", "--horizon", 2, "--quantiles", "0.025,0.5,0.975"
        ).stdout
    )
    assert forecast["month"].tolist() == ["2016-01", "2016-02"]
    assert list(forecast) == ["month", "forecast", "q2.5", "q50", "q97.5"]


def test_json_is_one_object(fitted: Path) -> None:
    content = json.loads(predict(fitted, "--json", "--horizon", 1).stdout)
    assert (content["schema_version"], content["command"]) == (1, "predict")
    assert [sorted(row) for row in content["forecast"]] == [
        ["forecast", "month", "q10", "q50", "q90"]
    ]


def test_a_terminal_gets_a_table(fitted: Path) -> None:
    screen = on_terminal(
        ["predict", "runs/old-price", "--horizon", 3], fitted, only="stdout"
    )
    lines = [line.split() for line in screen.text.splitlines()]
    assert screen.status == 0
    assert lines[0] == ["month", "forecast", "q10", "q50", "q90"]
    assert [line[0] for line in lines[2:]] == ["2015-01", "2015-02", "2015-03"]


def test_a_long_forecast_is_cut_on_a_terminal_with_a_message(fitted: Path) -> None:
    screen = on_terminal(
        ["predict", "runs/old-price", "--horizon", 205], fitted, only="stdout"
    )
    assert "5 more rows" in screen.text
    assert len(screen.text.splitlines()) == 200 + 3


def test_an_output_that_cannot_be_written_is_status_6(fitted: Path) -> None:
    for place in ("no/such/f.csv", "old.csv/f.csv"):
        done = predict(fitted, "-o", place)
        assert (done.returncode, done.stdout) == (6, "")
        assert "f.csv" in done.stderr


def test_corrupt_weights_are_refused(fitted: Path, tmp_path: Path) -> None:
    shutil.copytree(fitted / "runs", tmp_path / "runs")
    weights = tmp_path / "runs" / "old-price" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    done = predict(tmp_path)
    assert (done.returncode, done.stdout) == (4, "")
    assert "model.safetensors' is not what was saved" in done.stderr


def test_a_run_can_be_moved_and_be_read_only(fitted: Path, tmp_path: Path) -> None:
    run = shutil.copytree(fitted / "runs" / "old-price", tmp_path / "né w")
    for file in run.iterdir():
        file.chmod(0o444)
    assert run_program("predict", run, cwd=tmp_path).stdout == predict(fitted).stdout


def test_a_plan_of_known_covariates_comes_from_a_file_of_its_own(
    quickly: Program, tmp_path: Path, sample: Path
) -> None:
    rows = (sample / "shop.csv").read_text().splitlines()
    header, past = rows[0], [row for row in rows[1:] if row.split(",")[3]]
    (tmp_path / "past.csv").write_text("\n".join([header, *past]))
    roles = (
        "--target",
        "sold",
        "--series",
        "shop",
        "--future",
        "price",
        "--future",
        "holiday",
        "--out",
        "run",
    )
    fit = quickly("fit", "past.csv", *roles, "--steps", 0, cwd=tmp_path)
    assert fit.returncode == 0, fit.stderr
    refused = quickly("predict", "run", "--horizon", 3, cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (3, "")
    assert "--future-data" in refused.stderr
    done = quickly(
        "predict",
        "run",
        "--horizon",
        3,
        "--future-data",
        sample / "shop.csv",
        cwd=tmp_path,
    )
    assert (done.returncode, len(done.stdout.splitlines())) == (0, 5 * 3 + 1)
    assert (
        done.stdout
        == quickly(
            "predict", "run", sample / "shop.csv", "--horizon", 3, cwd=tmp_path
        ).stdout
    )


def test_rows_are_gathered_again_as_they_were_for_the_fit(
    lstmcast: Program, tmp_path: Path
) -> None:
    hours = [
        f"{day:02}.05.2024 {hour:02}:00,{day % 7 + hour / 24}"
        for day in range(1, 31)
        for hour in range(24)
    ]
    (tmp_path / "old.csv").write_text("\n".join(["t,y", *hours[: 20 * 24]]))
    (tmp_path / "new.csv").write_text(
        "\n".join(["t,y", *hours[18 * 24 : 25 * 24 + 10], ""])
    )
    done = lstmcast(
        "fit",
        "old.csv",
        "--target",
        "y",
        "--steps",
        0,
        "--resample",
        "D:sum",
        "--horizon",
        2,
    )
    assert "480 rows gathered into 20 steps (daily): their sum" in done.stderr
    done = lstmcast("predict", "runs/old-y", "new.csv")
    assert "1 step at the ends of series not full: left out" in done.stderr
    rows = [line.split(",") for line in done.stdout.splitlines()[1:]]
    assert [row[0] for row in rows] == ["26.05.2024 00:00", "27.05.2024 00:00"]
    assert all(10 < float(row[1]) < 200 for row in rows)

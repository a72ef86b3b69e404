"""Runs, unfinished fits, studies and exported files of old versions give what they gave then."""

import gzip
import io
import json
import os
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import lstmcast
from lstmcast import Forecaster, Panel, Verdict
from tests.conftest import ROOT
from tests.faults.conftest import run_inside

OLD = ROOT / "tests" / "old_files"
RUNS = sorted(
    run.parent.name for run in OLD.glob("*/run") if (run / "run.json").exists()
)
ROUNDING = 1e-6
STAMP = 1_700_000_000
"""When the Parquet files were changed: the results of a file are kept while it is as it was."""


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of all old files, for tests that change nothing."""
    return shutil.copytree(OLD, tmp_path_factory.mktemp("old") / "files")


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """A copy of all old files, for a test that changes some."""
    return shutil.copytree(OLD, tmp_path / "files")


def say(folder: Path, line: str) -> str:
    """What the program prints, run in a folder."""
    done = run_inside(*shlex.split(line), "-q", cwd=folder)
    if "begun with other versions" in done.stderr:
        pytest.skip(
            "only the versions of libraries that began a fit or a search can go on with it"
        )
    assert done.returncode == 0, done.stderr
    return done.stdout


def tolerance() -> float:
    """What may be between a number and the kept one, as a share.

    Networks of the first generation are read with columns of zeros, whose products round otherwise.
    """
    return ROUNDING


def same_table(
    found: pd.DataFrame | str, kept: Path, within: float | None = None
) -> None:
    """Fail unless a table has the columns, the rows and the numbers of the kept one."""
    found = pd.read_csv(io.StringIO(found)) if isinstance(found, str) else found
    expected, within = pd.read_csv(kept), within or tolerance()
    pd.testing.assert_frame_equal(
        found, expected, check_dtype=False, rtol=within, atol=within
    )


def same_judgement(found: str, kept: Path) -> None:
    """As `same_table`, of judged rows: their times, their values, and what was expected.

    Rows are forecast in other strips than they were, which look back a little farther or less far.
    """
    tables = [pd.read_csv(table) for table in (io.StringIO(found), kept)]
    # Evidence has become another since: the bounds of an ordinary row and its score.
    same = [*tables[1].columns[: list(tables[1]).index("low")]]
    tables = [table[same] for table in tables]
    # Beside the spread of the values, since an interval may end near 0.
    spread = tables[1]["actual"].std()
    pd.testing.assert_frame_equal(*tables, rtol=1e-6, atol=5e-3 * spread)


OF_THE_BEST_RIVAL = {"best_baseline", "skill", "baseline_mae"}
"""What changes where there are more simple methods to compare with than there were."""


def includes(found: Any, kept: Any, place: str = "") -> None:
    """Fail unless JSON has all keys and values of the kept one; there may be more keys."""
    if isinstance(kept, dict):
        assert isinstance(found, dict) and kept.keys() <= found.keys(), place
        for key in kept.keys() - OF_THE_BEST_RIVAL:
            value = kept[key]
            includes(found[key], value, f"{place}.{key}")
    elif isinstance(kept, list):
        assert isinstance(found, list) and len(found) == len(kept), place
        for number, (one, other) in enumerate(zip(found, kept, strict=True)):
            includes(one, other, f"{place}.{number}")
    elif isinstance(kept, float):
        assert found == pytest.approx(kept, rel=tolerance(), abs=tolerance()), place
    else:
        assert found == kept, place


def newer(folder: Path) -> str:
    """The rows that a run was fitted to, and some that came later."""
    (file,) = folder.glob("newer.*")
    return file.name


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_forecasts_what_it_did(name: str, old: Path) -> None:
    same_table(say(old / name, "predict run"), old / name / "forecast.csv")


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_scored_as_it_was(name: str, old: Path) -> None:
    told = say(old / name, f"evaluate run {newer(old / name)} --json")
    includes(json.loads(told), json.loads((old / name / "evaluate.json").read_text()))


@pytest.mark.parametrize("name", sorted({*RUNS} - {"bernoulli"}))
def test_an_old_run_judges_rows_as_it_did(name: str, old: Path) -> None:
    same_judgement(
        say(old / name, f"detect run {newer(old / name)}"), old / name / "detect.csv"
    )


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_is_explained_as_it_was(name: str, old: Path) -> None:
    same_table(say(old / name, "explain run"), old / name / "explain.csv")


@pytest.mark.parametrize("name", RUNS)
def test_an_old_run_shows_its_settings_and_its_files(name: str, old: Path) -> None:
    shown = json.loads(say(old / name, "runs show run --json"))
    includes(shown, json.loads((old / name / "show.json").read_text()))
    kept = tomllib.loads((old / name / "settings.toml").read_text())
    settings = tomllib.loads(say(old / name, "config show --config run"))
    assert kept.items() <= settings.items()
    checked = json.loads(say(old / name, "runs check run --json"))["files"]
    assert checked.keys() == {*shown["files"], "run.json"}


@pytest.mark.parametrize("name", RUNS)
def test_the_public_names_open_an_old_run(name: str, old: Path) -> None:
    forecaster = Forecaster.load(old / name / "run")
    forecast = forecaster.predict().to_csv(index=False)
    same_table(forecast, old / name / "forecast.csv")
    verdict = json.loads((old / name / "run" / "metrics.json").read_text())["verdict"]
    assert forecaster.verdict is not None
    # Newer versions know more, and change nothing of what was known.
    found = forecaster.verdict.to_dict()
    assert found == Verdict.from_dict(verdict).to_dict()
    for name, value in verdict.items():
        assert found[name] == value, name


def test_the_public_functions_take_an_old_run(old: Path) -> None:
    folder = old / "quantile"
    forecaster = Forecaster.load(folder / "run")
    panel = Panel.from_frame(pd.read_csv(folder / "newer.csv"), like=forecaster.panel)
    kept = json.loads((folder / "evaluate.json").read_text())["verdict"]
    del kept["by_series"]  # which the command leaves out unless asked
    includes(lstmcast.evaluate(forecaster, panel).verdict.to_dict(), kept)
    rows = lstmcast.detect(forecaster, panel).rows.to_csv(index=False)
    same_judgement(rows, folder / "detect.csv")
    same_table(
        lstmcast.explain(forecaster).frame(10).to_csv(index=False),
        folder / "explain.csv",
    )


def test_old_runs_are_listed_and_compared(old: Path) -> None:
    listed = json.loads(say(old, "runs ls updated --json"))["runs"]
    assert [(row["run"], row["freq"]) for row in listed] == [("updated/run", "MS")]
    compared = json.loads(say(old, "runs diff quantile/run mse/run --json"))[
        "differences"
    ]
    assert {"config.train.loss", "config.model.cell"} <= {
        one["name"] for one in compared
    }


def test_the_version_before_an_old_update_is_read_and_traded_back(mine: Path) -> None:
    folder = mine / "updated"
    same_table(say(folder, "predict run/previous"), folder / "previous.csv")
    say(folder, "update run --rollback")
    same_table(say(folder, "predict run"), folder / "previous.csv")
    say(folder, "update run --rollback")
    same_table(say(folder, "predict run"), folder / "forecast.csv")


def test_an_old_run_learns_on(mine: Path) -> None:
    folder = mine / "quantile"
    told = json.loads(
        say(folder, "update run newer.csv --steps 2 --gate 'mase<=9*old' --json")
    )
    assert told["kept"]
    same_table(say(folder, "predict run/previous"), folder / "forecast.csv")
    assert say(folder, "predict run") != (folder / "forecast.csv").read_text()


def test_an_old_unfinished_fit_of_other_inputs_is_refused_and_begun_anew(
    mine: Path,
) -> None:
    folder = mine / "unfinished"
    done = run_inside("fit", "--resume", "run", cwd=folder)
    assert done.returncode == 4
    assert "was begun with other inputs of the network" in done.stderr
    assert "--force starts over" in done.stderr
    assert (folder / "run" / "checkpoint").is_dir()


def test_an_old_study_goes_on_from_its_trials(mine: Path) -> None:
    pytest.importorskip("optuna", reason="needs the extra tune")
    folder = mine / "study"
    kept = pd.read_csv(folder / "trials.csv").drop(columns="seconds")
    search = (
        "--steps 0 --windows 1 --unseen 1 --param context=12,24,36,48 -j 1 --trials 4"
    )
    line = f"tune data.csv --target co2 {search} --study study.journal --out . --json"
    told = json.loads(say(folder, line))
    assert sum(told["trials"].values()) == 4
    trials = pd.read_csv(folder / "trials.csv").drop(columns="seconds")
    assert len(trials) == 4
    pd.testing.assert_frame_equal(trials.head(3), kept, rtol=ROUNDING)


def test_the_settings_that_an_old_study_wrote_are_read(old: Path) -> None:
    settings = tomllib.loads(say(old / "study", "config show --config best.toml"))
    assert settings == {"jobs": 1, "steps": 0, "target": ["co2"], "time": ["month"]}


def outputs(file: bytes, kept: Any) -> Any:
    """What an exported file puts out for the kept inputs."""
    runtime = pytest.importorskip("onnxruntime", reason="needs the extra onnx")
    session = runtime.InferenceSession(file, providers=["CPUExecutionProvider"])
    return session.run(
        None, {one.name: kept[one.name] for one in session.get_inputs()}
    )[0]


def test_an_old_exported_file_forecasts_what_it_did(old: Path) -> None:
    kept = np.load(old / "exported" / "in_and_out.npz")
    file = gzip.decompress((old / "exported" / "model.onnx.gz").read_bytes())
    np.testing.assert_allclose(outputs(file, kept), kept["quantiles"], rtol=ROUNDING)
    page = json.loads((old / "exported" / "model.json").read_text())
    middle = kept["quantiles"][:, :, page["levels"].index(0.5)]
    forecast = pd.read_csv(old / "mae" / "forecast.csv")["forecast"]
    np.testing.assert_allclose(middle.ravel(), forecast, rtol=1e-6)


def test_an_old_run_is_exported_as_it_was(mine: Path) -> None:
    pytest.importorskip("onnx", reason="needs the extra onnx")
    say(mine / "mae", "export run")
    kept = np.load(mine / "exported" / "in_and_out.npz")
    made = outputs((mine / "mae" / "run" / "model.onnx").read_bytes(), kept)
    np.testing.assert_allclose(made, kept["quantiles"], rtol=ROUNDING)
    page = json.loads((mine / "mae" / "run" / "model.json").read_text())
    kept_page = json.loads((mine / "exported" / "model.json").read_text())
    # What a file that is exported anew asks for has grown: patterns remember longer.
    assert page["least_steps"] >= kept_page.pop("least_steps")
    includes(page, kept_page)


def test_old_results_of_a_folder_are_not_made_again(mine: Path) -> None:
    folder = mine / "folder"
    for file in (folder / "data").iterdir():
        os.utime(file, (STAMP, STAMP))
    before = (folder / "forecasts" / "airport.parquet").read_bytes()
    (folder / "forecasts" / "harbour.parquet").unlink()
    told = json.loads(say(folder, "predict ../mae/run data/ -o forecasts/ -j 1 --json"))
    assert (told["shards"], told["kept"]) == (2, 1)
    assert (folder / "forecasts" / "airport.parquet").read_bytes() == before
    made = pd.read_parquet(folder / "forecasts" / "harbour.parquet")
    kept = pd.read_parquet(OLD / "folder" / "forecasts" / "harbour.parquet")
    pd.testing.assert_frame_equal(made, kept, rtol=tolerance())

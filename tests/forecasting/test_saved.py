"""What a run keeps of a forecaster; `test_predictor` holds that it forecasts the same after it."""

import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from lstmcast.errors import DivergedError, RunError
from lstmcast.forecasting.predictor import Predictor
from tests.conftest import ROOT
from tests.faults.forge import seal

OLD = ROOT / "tests" / "old_files" / "mae" / "run"
COMBINED_QUANTILES = Predictor._combined_quantiles


def with_weight(folder: Path, value: float, name: str = "0.head.4.bias") -> Path:
    files = {entry.name: entry.read_bytes() for entry in OLD.iterdir()}
    manifest = json.loads(files.pop("run.json"))
    weights = load(files["model.safetensors"])
    weights[name] = weights[name].copy()
    weights[name].reshape(-1)[0] = value
    files["model.safetensors"] = save(weights)
    seal(folder / "run", manifest, files)
    return folder / "run"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_refused_under_right_hashes(
    value: float, tmp_path: Path
) -> None:
    with pytest.raises(RunError) as caught:
        Predictor.load(with_weight(tmp_path, value))
    assert "model.safetensors' does not hold what it should" in caught.value.message
    assert "the weight 0.head.4.bias is NaN or infinite in 1 of" in caught.value.message


def test_finite_weights_that_forecast_no_number_are_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Predictor, "_combined_quantiles", with_nan)
    with pytest.raises(RunError, match="its networks forecast NaN"):
        Predictor.load(OLD)


def test_a_forecast_that_is_no_number_is_never_returned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    predictor = Predictor.load(OLD)
    monkeypatch.setattr(Predictor, "_combined_quantiles", with_nan)
    with pytest.raises(DivergedError, match="values of the forecast are not a number"):
        predictor.predict()


def with_nan(self: Predictor, *arguments: object) -> np.ndarray:
    """Forecast as `Predictor._combined_quantiles` does, with NaN among the numbers."""
    found = COMBINED_QUANTILES(self, *arguments)  # type: ignore[arg-type]
    found[0, 0, 0] = np.nan
    return found


def test_a_series_without_its_scale_is_refused(tmp_path: Path) -> None:
    files = {entry.name: entry.read_bytes() for entry in OLD.iterdir()}
    manifest = json.loads(files.pop("run.json"))
    scaler = json.loads(files["scaler.json"])
    scaler["series"]["shift"].pop()
    files["scaler.json"] = json.dumps(scaler).encode()
    seal(tmp_path / "run", manifest, files)
    with pytest.raises(RunError, match="its parts do not belong together"):
        Predictor.load(tmp_path / "run")

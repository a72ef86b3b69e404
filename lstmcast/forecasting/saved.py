"""A forecaster as the files of a run, and back: each part is checked where it is read.

Knows what a forecaster consists of, not how it forecasts.
"""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from lstmcast.config import NETWORK_QUANTILES, Config
from lstmcast.errors import DivergedError
from lstmcast.features.preprocessing import Scaling
from lstmcast.features.windows import choose_lead
from lstmcast.forecasting.combination import Combination
from lstmcast.runs import contents, directory, publish, serialization
from lstmcast.runs.serialization import as_run_errors
from lstmcast.scoring.verdict import Verdict

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor

Forecaster = TypeVar("Forecaster", bound="Predictor")
WEIGHTS_FILE = "model.safetensors"
CONTEXT_FILE = "context.parquet"
HISTORY_FILE = "history.csv"
"""Files of a run beside those that `runs.contents` reads."""


def save_forecaster(
    forecaster: "Predictor",
    path: str | Path,
    *,
    force: bool,
    previous: directory.PreviousVersion,
) -> Path:
    """Write a forecaster as a run, see `Predictor.save`."""
    context, panel_facts = serialization.pack_panel(forecaster.panel)
    manifest = {
        "config": forecaster.config.to_dict(),
        "horizon": forecaster.horizon,
        "context": forecaster.context,
        "lead": forecaster.lead,
        "seed": forecaster.config.train.seed,
        "start": forecaster.start,
        "made": forecaster.made | _describe_making(forecaster),
        "members": [network.shape._asdict() for network in forecaster.networks],
        "data": {
            "fingerprint": forecaster.fingerprint,
            "cutoff": forecaster.cutoff.tolist(),
            "notes": forecaster.notes,
        },
        "panel": panel_facts,
    }
    metrics = _pack_metrics(forecaster)
    scaling = forecaster.scaling.to_dict()
    files = {
        WEIGHTS_FILE: serialization.pack_networks(forecaster.networks),
        HISTORY_FILE: serialization.pack_history(forecaster.history),
        contents.METRICS_FILE: serialization.pack_json(metrics),
        CONTEXT_FILE: context,
        contents.SCALER_FILE: serialization.pack_json(scaling),
    }
    return publish.publish_run(path, files, manifest, force=force, previous=previous)


def _describe_making(forecaster: "Predictor") -> dict[str, str]:
    """Say when this run is written, and up to which stamp its data go."""
    now = datetime.now(UTC)
    panel = forecaster.panel
    newest = panel.start + panel.lengths - 1
    until = panel.axis.texts(newest.max(keepdims=True))[0]
    return {"at": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "until": str(until)}


def _pack_metrics(forecaster: "Predictor") -> dict[str, Any]:
    """Return what `metrics.json` holds, see `_set_metrics`."""
    verdict = forecaster.verdict
    spread = forecaster.spread
    return {
        "verdict": None if verdict is None else verdict.to_dict(),
        "guard": forecaster.combination.to_dict(),
        "spread": None if spread is None else spread.tolist(),
    }


def load_forecaster(kind: type[Forecaster], path: str | Path) -> Forecaster:
    """Load a forecaster of a class from a run, see `Predictor.load`."""
    run = contents.open_trained_run(path)
    manifest = run.manifest
    data = manifest["data"]

    # A part that is damaged is named in the message.
    with as_run_errors(run.path / directory.MANIFEST_FILE):
        forecaster = kind(Config.from_dict(manifest["config"]))
        forecaster.cutoff = np.array(data["cutoff"], dtype=np.int64)
    forecaster.horizon = manifest["horizon"]
    forecaster.context = manifest["context"]
    forecaster.notes = tuple(data["notes"])
    forecaster.start = manifest["start"]
    forecaster.fingerprint = data["fingerprint"]
    forecaster.made = manifest.get("made", {})

    with as_run_errors(run.path / CONTEXT_FILE):
        context = run.read(CONTEXT_FILE)
        forecaster.panel = serialization.unpack_panel(context, manifest["panel"])
    # Older runs do not say how far they read.
    longest = int(forecaster.panel.lengths.max())
    usual_lead = choose_lead(forecaster.context, longest)
    forecaster.lead = manifest.get("lead", usual_lead)
    with as_run_errors(run.path / contents.SCALER_FILE):
        forecaster.scaling = Scaling.from_dict(contents.read_scaling(run))
    with as_run_errors(run.path / WEIGHTS_FILE):
        forecaster.networks = serialization.unpack_networks(
            run.read(WEIGHTS_FILE), manifest["members"]
        )
    with as_run_errors(run.path / contents.METRICS_FILE):
        _set_metrics(forecaster, contents.read_metrics(run))
    with as_run_errors(run.path / HISTORY_FILE):
        forecaster.history = serialization.unpack_history(run.read(HISTORY_FILE))
    with as_run_errors(run.path):
        _require_consistent_parts(forecaster)

    return forecaster


def _set_metrics(forecaster: "Predictor", metrics: dict[str, Any]) -> None:
    """Set what `metrics.json` holds; older runs have no spread."""
    guard = metrics["guard"]
    # Versions differ in what they know of a combination: the rest is as it is by default.
    known = {name: guard[name] for name in Combination._fields if name in guard}
    forecaster.combination = Combination.from_dict(known)

    verdict = metrics["verdict"]
    forecaster.verdict = None if verdict is None else Verdict.from_dict(verdict)

    spread = metrics.get("spread")
    forecaster.spread = None
    if spread is not None:
        forecaster.spread = np.array(spread, dtype=np.float64)


def _require_consistent_parts(forecaster: "Predictor") -> None:
    """Refuse parts that do not fit together: here, and not in the middle of a forecast.

    Sizes are compared, and one step of one series is forecast. Raises ValueError, or whatever the
    forecast does.
    """
    panel = forecaster.panel
    scaling = forecaster.scaling
    weights = forecaster.combination.members
    # A series that lacks its scale would be missed only when it is forecast.
    scales = [part for part in scaling.scaler if part is not None]
    of_series = [*scales, scaling.effects.mean, scaling.effects.effect]
    n_series = len(panel)
    matching_series = all(
        len(part) == n_series for part in (forecaster.cutoff, *of_series)
    )
    matching_members = weights.shape == (len(forecaster.networks),)
    if not (matching_series and matching_members):
        raise ValueError("its parts do not belong together")

    # Forecasting shows what sizes alone do not.
    first = np.zeros(1, np.int64)
    panel = panel.select(first)
    origins = panel.lengths - 1
    try:
        quantiles = forecaster.quantiles(panel, first, origins, 1, NETWORK_QUANTILES)
    except DivergedError as error:
        # Finite weights can be too large to forecast a number with.
        raise ValueError("its networks forecast NaN") from error
    panel.forecast_columns(first, origins, quantiles, NETWORK_QUANTILES)

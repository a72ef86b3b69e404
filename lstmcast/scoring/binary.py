"""Does a forecast of a 0/1 target help? Its probabilities beside the base rate, and the answer in plain words.

Axes: N series, K windows, H horizon. Knows how to count, not how to forecast.
"""

from typing import Any

import numpy as np

from lstmcast.ragged import NAN, Floats, Ints

Scores = dict[str, float]
CALIBRATION_BINS = 10
MIN_PROBABILITY = 1e-6
"""Log loss takes no probability as surer than this."""


def base_rates(values: Floats, offsets: Ints, ends: Ints) -> Floats:
    """Share of ones in the first `ends` [N] steps of each series, [N], drawn a little to a half (Laplace's rule).

    values: [sum T] with NaN for missing; offsets: [N+1].
    """
    lengths = np.diff(offsets)
    owner = np.repeat(np.arange(len(lengths)), lengths)
    known = (np.arange(len(owner)) - offsets[owner] < ends[owner]) & ~np.isnan(values)
    ones = np.bincount(owner, np.where(known, values, 0.0), len(lengths))
    return np.asarray((ones + 1) / (np.bincount(owner, known, len(lengths)) + 2))


def score_probabilities(made: Floats, actual: Floats) -> Scores:
    """Errors of probabilities [...] of what was 0 or 1 (NaN where missing).

    brier: mean squared error (Brier 1950); log_loss: mean cross-entropy in nats; auc: chance that a
    1 was given more than a 0 (Hanley & McNeil 1982); calibration: how far the probabilities of ten
    equal ranges are from the shares of ones in them, on average (Naeini et al. 2015). The names of
    other verdicts are there, too: NaN where they mean nothing.
    """
    known = ~np.isnan(actual)
    p, y = made[known], actual[known]
    sure = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    place = np.minimum((p * CALIBRATION_BINS).astype(np.int64), CALIBRATION_BINS - 1)
    gaps = np.abs(np.bincount(place, p, CALIBRATION_BINS) - np.bincount(place, y, CALIBRATION_BINS))
    nothing = dict.fromkeys(("mase", "rmsse", "smape", "mape", "wql", "coverage"), NAN)
    return nothing | {
        "brier": float(np.mean((p - y) ** 2)),
        "log_loss": float(-np.mean(y * np.log(sure) + (1 - y) * np.log(1 - sure))),
        "auc": _auc(p, y),
        "calibration": float(gaps.sum() / len(p)),
        "mae": float(np.mean(np.abs(p - y))),
        "rmse": float(np.sqrt(np.mean((p - y) ** 2))),
    }


def describe_probabilities(model: Scores, rival: Scores, where: str) -> list[str]:
    """The verdict on `scores` of a model and of the base rate, for a reader who has never heard of any of them."""
    error = f"its mean squared error was {model['brier']:.4g}, that of always giving the usual share {rival['brier']:.4g}"
    said = [f"{where} the probabilities helped: {error}."]
    if not model["brier"] < rival["brier"]:
        said = [f"The model does not beat the base rate: {where[0].lower()}{where[1:]} {error}."]
    if not np.isnan(model["auc"]):
        said.append(
            f"Of a 1 and a 0 it gave the 1 the higher probability {100 * model['auc']:.0f} times in 100."
        )
    return [
        *said,
        f"Its probabilities were {100 * model['calibration']:.0f} points off the shares that came, on average.",
    ]


def compare_with_base_rate(made: Floats, base: Floats, actual: Floats) -> Scores:
    """Errors of probabilities and of the base rate beside each other; all [...], NaN where nothing came."""
    known = ~np.isnan(actual)
    error, rival = (
        float(np.mean((p - actual)[known] ** 2)) if known.any() else NAN for p in (made, base)
    )
    size, other = (
        float(np.mean(np.abs(p - actual)[known])) if known.any() else NAN for p in (made, base)
    )
    nothing = {"mae": size, "mase": NAN, "smape": NAN, "coverage": NAN, "baseline_mae": other}
    return nothing | {"brier": error, "baseline_brier": rival, "skill": skill_score(error, rival)}


def skill_score(error: float, rival: float) -> float:
    """1 - error / rival; where the rival makes no error 0 if there is none, else NaN."""
    if rival == 0:
        return 0.0 if error == 0 else NAN
    return 1 - error / rival


def _auc(p: Floats, y: Floats) -> float:
    ones = float(y.sum())
    zeros = len(y) - ones
    if not ones or not zeros:
        return NAN
    from scipy.stats import rankdata  # slow to import; only targets of 0 and 1 need it

    ranks: Any = rankdata(p)
    return float((ranks[y == 1].sum() - ones * (ones + 1) / 2) / (ones * zeros))

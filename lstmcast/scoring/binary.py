"""Scores of probabilities for targets of 0 and 1, and the base rate to compare them with.

Knows how to score, not how to forecast.

Axes: N series, T steps; probabilities and actual values have one shape [...], mostly [K, H] of K
windows and H horizon steps.
"""

import numpy as np

from lstmcast.ragged import NAN, Floats, Ints

Scores = dict[str, float]
CALIBRATION_BINS = 10
MIN_PROBABILITY = 1e-6
"""Log loss takes no probability as surer than this, so that one error does not make it infinite."""


def base_rates(values: Floats, offsets: Ints, ends: Ints) -> Floats:
    """Share of ones in the first `ends` [N] steps of each series, [N].

    Drawn a little to a half by Laplace's rule: one 1 and one 0 more than were observed. values:
    [sum T] with NaN for missing; offsets: [N+1].
    """
    lengths = np.diff(offsets)
    n = len(lengths)
    owner = np.repeat(np.arange(n), lengths)
    end_of_sample = offsets[:-1] + ends
    position = np.arange(len(owner))
    in_sample = position < end_of_sample[owner]
    known = in_sample & ~np.isnan(values)

    known_values = np.where(known, values, 0.0)
    ones = np.bincount(owner, known_values, n)
    count = np.bincount(owner, known, n)
    rates = (ones + 1) / (count + 2)
    return np.asarray(rates)


def score_probabilities(probabilities: Floats, actual: Floats) -> Scores:
    """Errors of probabilities [...] of what was 0 or 1 (NaN where missing).

    brier: mean squared error (Brier 1950); log_loss: mean cross-entropy in nats; auc: chance that a
    1 had a higher probability than a 0 (Hanley & McNeil 1982); calibration: how far the
    probabilities of ten equal ranges are from the shares of ones in them, on average (Naeini et al.
    2015). The names of other verdicts are there, too: NaN where they mean nothing.
    """
    known = ~np.isnan(actual)
    p = probabilities[known]
    y = actual[known]
    error = p - y
    brier = np.mean(error**2)
    meaningless = ("mase", "rmsse", "smape", "mape", "wql", "coverage")
    return dict.fromkeys(meaningless, NAN) | {
        "brier": float(brier),
        "log_loss": _log_loss(p, y),
        "auc": _auc(p, y),
        "calibration": _calibration_error(p, y),
        "mae": float(np.mean(np.abs(error))),
        "rmse": float(np.sqrt(brier)),
    }


def compare_with_base_rate(
    probabilities: Floats, base: Floats, actual: Floats
) -> Scores:
    """Errors of probabilities beside those of the base rate; all [...], NaN where nothing came."""
    known = ~np.isnan(actual)
    error = (probabilities - actual)[known]
    base_error = (base - actual)[known]

    brier = _mean_or_nan(error**2)
    base_brier = _mean_or_nan(base_error**2)
    return {
        "mae": _mean_or_nan(np.abs(error)),
        "mase": NAN,
        "smape": NAN,
        "coverage": NAN,
        "baseline_mae": _mean_or_nan(np.abs(base_error)),
        "brier": brier,
        "baseline_brier": base_brier,
        "skill": skill_score(brier, base_brier),
    }


def skill_score(error: float, baseline_error: float) -> float:
    """1 - error / baseline_error; of a perfect baseline 0 for a perfect forecast, else NaN."""
    if baseline_error == 0:
        return 0.0 if error == 0 else NAN
    return 1 - error / baseline_error


def _mean_or_nan(values: Floats) -> float:
    if not len(values):
        return NAN
    return float(np.mean(values))


def _log_loss(p: Floats, y: Floats) -> float:
    """Mean cross-entropy in nats of probabilities p [n] of what was 0 or 1, y [n]."""
    p = np.clip(p, MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    of_ones = y * np.log(p)
    of_zeros = (1 - y) * np.log(1 - p)
    mean = np.mean(of_ones + of_zeros)
    return float(-mean)


def _calibration_error(p: Floats, y: Floats) -> float:
    """Mean distance of the probabilities p [n] of a bin from the share of ones, y [n], in it."""
    bins = (p * CALIBRATION_BINS).astype(np.int64)
    # A probability of 1 belongs to the last bin.
    bins = np.minimum(bins, CALIBRATION_BINS - 1)

    expected_ones = np.bincount(bins, p, CALIBRATION_BINS)
    ones = np.bincount(bins, y, CALIBRATION_BINS)
    distance = np.abs(expected_ones - ones)
    mean_distance = distance.sum() / len(p)
    return float(mean_distance)


def _auc(p: Floats, y: Floats) -> float:
    """Area under the ROC curve, from the ranks of the ones (Mann-Whitney); NaN for one class only.

    p, y: [n].
    """
    ones = float(y.sum())
    zeros = len(y) - ones
    if not ones or not zeros:
        return NAN

    # Equal probabilities share the mean of their ranks, from 1 on.
    _, places, counts = np.unique(p, return_inverse=True, return_counts=True)
    last_ranks = counts.cumsum()
    ranks = (last_ranks - (counts - 1) / 2)[places]
    ranks_of_ones = ranks[y == 1]
    rank_sum = ranks_of_ones.sum()
    # The least sum that so many ranks can have, from 1 on: no one above any zero.
    least_rank_sum = ones * (ones + 1) / 2
    # Each 1 above each 0 adds one to that sum.
    pairs = ones * zeros
    share = (rank_sum - least_rank_sum) / pairs
    return float(share)

"""Operations along time in torch that an ONNX graph can hold, for any number of steps.

A graph has no loop over steps. A recursive mean is therefore a product with the matrix of its
weights, of which only the rows that are needed are computed; filling gaps takes a fixed number of
doublings. `features.smoothing` does the same to arrays, and says why.

Axes: B series, T steps, R of them at the end, m season length.
"""

import torch
from torch import Tensor

_FILL_DOUBLINGS = 20
"""A gap is filled from at most 2 to this power steps before."""
_BLOCK = 64
"""Steps of a block of a recursive mean at every step."""
_MIN_MASS = 1e-300
"""Sum of weights below which a mean is 0: nothing was observed."""


def lag_steps(x: Tensor, k: int) -> Tensor:
    """Shift [B, T] right by k steps, with 0 before the first."""
    if not k:
        return x
    # Of the batch's own size: a trace would fix a number.
    zeros = torch.zeros_like(x[:, :1]).expand(-1, k)
    shifted = torch.cat([zeros, x], 1)
    return shifted[:, : x.shape[1]]


def lagged_difference(x: Tensor, t: Tensor, k: int) -> Tensor:
    """Return x[t] - x[t - k], 0 for the first k steps; t: [T]."""
    has_past = t >= k
    difference = x - lag_steps(x, k)
    return torch.where(has_past, difference, 0.0)


def last_steps(x: Tensor, count: int) -> Tensor:
    """Return the last steps of [B, T, ...], with zeros before the first."""
    zeros = x.new_zeros(x.shape[0], count, *x.shape[2:])
    padded = torch.cat([zeros, x], 1)
    return padded[:, -count:]


def values_from_end(x: Tensor, offsets: Tensor) -> tuple[Tensor, Tensor]:
    """Return values [B, H] at offsets from the last step, and whether there is such a step, [H].

    offsets: [H], 0 for the last step and negative before it.
    """
    at = offsets + x.shape[1] - 1
    values = x[:, at.clamp(min=0)]
    is_known = at >= 0
    return values, is_known


def mean_of_window(x: Tensor, t: Tensor, window: int) -> Tensor:
    """Return the mean of the last `window` steps, of fewer at the start, [B, T]."""
    # Sums of distances from the first value, so that a high level costs no digits.
    base = x[:, :1]
    total = torch.cumsum(x - base, 1)
    in_window = total - lag_steps(total, window)
    steps_in_window = (t + 1).clamp(max=window)
    return base + in_window / steps_in_window


def recursive_mean(x: Tensor, weight: Tensor, alpha: float, count: int) -> Tensor:
    """Return the exponential moving average of [B, T] at the last steps, [B, count].

    Steps of weight 0 do not count.
    """
    t = torch.arange(x.shape[1], dtype=torch.float64)
    rows = torch.arange(1 - count, 1, dtype=torch.float64) + x.shape[1] - 1
    weights = _decay_weights(rows, t, alpha)

    # As one phase of many: the means are taken of [B, T, m].
    one_phase = x[..., None]
    its_weight = weight[..., None]
    means = _weighted_means(weights, one_phase, its_weight)
    return means[..., 0]


def recursive_mean_of_all(x: Tensor, weight: Tensor, alpha: float) -> Tensor:
    """Return the exponential moving average of [B, T] at every step, [B, T].

    The matrix of all steps would grow with their square. So the steps are taken in blocks: one
    matrix inside them, and one from block to block.
    """
    mass = _decayed_sums(weight, alpha)
    total = _decayed_sums(x * weight, alpha)
    has_mass = mass > _MIN_MASS
    mean = total / mass.clamp(min=_MIN_MASS)
    return torch.where(has_mass, mean, 0.0)


def _decayed_sums(x: Tensor, alpha: float) -> Tensor:
    """Return sums y[t] = alpha x[t] + (1 - alpha) y[t - 1] of [B, T]."""
    blocks = _phase_rows(x, _BLOCK, 0.0)
    step = torch.arange(_BLOCK, dtype=torch.float64)
    inside = _decay_weights(step, step, alpha)
    sums = torch.matmul(blocks, inside.T)

    # What the blocks before have left at the end of each, which decays along the next.
    number = torch.arange(blocks.shape[1], dtype=torch.float64)
    age = number[:, None] - number[None] - 1
    share_left = torch.tensor(1 - alpha, dtype=torch.float64)
    decay = torch.pow(share_left, _BLOCK * age.clamp(min=0))
    decay = torch.where(age >= 0, decay, 0.0)
    carried = torch.matmul(decay, sums[..., -1:])
    sums = sums + carried * torch.pow(share_left, step + 1)
    return sums.flatten(1)[:, : x.shape[1]]


def mean_by_phase(
    rest: Tensor,
    x: Tensor,
    weight: Tensor,
    t: Tensor,
    m: int,
    alpha: float,
    width: int = 1,
) -> Tensor:
    """Return the seasonal index [B, T]: the recursive mean over the cycles, phase by phase.

    rest: x above its moving average. Inside the first cycle that average does not yet span a whole
    season; the mean of that cycle stands in. width: steps that what is left is smoothed over.
    """
    first = torch.where(t < m, weight, 0.0)
    first_total = (x * first).sum(1, keepdim=True)
    first_count = first.sum(1, keepdim=True).clamp(min=1)
    first_mean = first_total / first_count
    rest = torch.where(t < m, x - first_mean, rest)
    if width > 1:
        rest = mean_of_window(rest, t, width)

    # A cycle a row, so that the mean over the rows is one of each phase.
    cycles = _phase_rows(rest, m, 0.0)
    weights = _phase_rows(weight, m, 0.0)
    number = torch.arange(cycles.shape[1], dtype=torch.float64)
    decay = _decay_weights(number, number, alpha)
    means = _weighted_means(decay, cycles, weights)
    return means.flatten(1)[:, : x.shape[1]]


def regression_slope(x: Tensor, weight: Tensor, t: Tensor) -> Tensor:
    """Return the slope per step of the least-squares line so far, 0 for fewer than 4 steps, [B, T].

    From running sums, in the textbook's form: (n Sty - St Sy) / (n Stt - St^2).
    """
    # Distances from the first value, so that a high level costs no digits.
    distance = x - x[:, :1]
    y = distance * weight
    count = torch.cumsum(weight, 1)
    sum_t = torch.cumsum(weight * t, 1)
    sum_tt = torch.cumsum(weight * t * t, 1)
    sum_y = torch.cumsum(y, 1)
    sum_ty = torch.cumsum(y * t, 1)

    spread = count * sum_tt - sum_t * sum_t
    moved = count * sum_ty - sum_t * sum_y
    usable = (count >= 4) & (spread > 0)
    # A 0 in the branch that is not taken would still make the quotient NaN.
    divisor = torch.where(usable, spread, 1.0)
    return torch.where(usable, moved / divisor, 0.0)


def fill_from_past(x: Tensor, m: int) -> Tensor:
    """Fill NaN in [B, T] from the past; leading NaN become 0.

    From the same phase of an earlier season where there is one, else from the last value.
    """
    filled = x
    if m > 1:
        cycles = _phase_rows(x, m, float("nan"))
        cycles = _forward_fill(cycles)
        filled = cycles.flatten(1)[:, : x.shape[1]]
    # What no earlier season has: the last value, whatever its phase.
    filled = _forward_fill(filled[..., None])
    return torch.nan_to_num(filled[..., 0])


def fill_by_phase(x: Tensor, m: int) -> Tensor:
    """Fill NaN in [B, T] by the last value of the same phase; NaN where there is none."""
    cycles = _phase_rows(x, m, float("nan"))
    return _forward_fill(cycles).flatten(1)[:, : x.shape[1]]


def _forward_fill(x: Tensor) -> Tensor:
    """Replace NaN by the last value before it along axis 1 of [B, T, m]."""
    at = torch.arange(x.shape[1])
    for power in range(_FILL_DOUBLINGS):
        # After this round every gap of fewer than 2^(power + 1) steps is closed.
        lag = 2**power
        before = x[:, (at - lag).clamp(min=0)]
        is_gap = torch.isnan(x) & (at >= lag)[:, None]
        x = torch.where(is_gap, before, x)
    return x


def _phase_rows(x: Tensor, m: int, fill: float) -> Tensor:
    """Reshape [B, T] to [B, cycles, m], padded at the end."""
    padding = torch.full_like(x[:, :1], fill).expand(-1, m - 1)
    padded = torch.cat([x, padding], 1)
    n_cycles = padded.shape[1] // m
    whole = n_cycles * m
    cycles = padded[:, :whole]
    return cycles.reshape(x.shape[0], -1, m)


def _decay_weights(rows: Tensor, t: Tensor, alpha: float) -> Tensor:
    """Return the weight of each step t in the recursive mean at each row, [R, T].

    It is alpha (1 - alpha)^age, and 0 for steps after the row.
    """
    age = rows[:, None] - t[None]
    base = torch.tensor(1 - alpha, dtype=torch.float64)
    # Bounded, since a power of a negative age grows beyond every float.
    decay = torch.pow(base, age.clamp(min=0))
    return torch.where(age >= 0, alpha * decay, 0.0)


def _weighted_means(weights: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Return weighted means along axis 1: [R, T], [B, T, m], [B, T, m] -> [B, R, m]."""
    mass = torch.matmul(weights, weight)
    total = torch.matmul(weights, x * weight)
    has_mass = mass > _MIN_MASS
    mean = total / mass.clamp(min=_MIN_MASS)
    return torch.where(has_mass, mean, 0.0)

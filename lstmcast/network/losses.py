"""Losses: what a network puts out for each step, what that costs, and which quantiles it means.

Knows no network. Missing targets (NaN) count for nothing.

Axes: [...] windows and horizon steps, O outputs of a loss, Q quantiles.
"""

import math
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, huber_loss, softplus

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.windows import Batch

MIN_STUDENT_T_FREEDOM = 2.1
"""Fewest degrees of freedom of Student's t: the variance is finite above 2."""
MIN_STUDENT_T_WIDTH = 1e-3
"""Least width of Student's t, in scales, which keeps the likelihood of a constant finite."""
MIN_COUNT_MEAN = 0.01
"""Least mean of a blend of counts: what was always zero so far may still come."""
MIN_COUNT_DISPERSION = 1e-4
"""Least dispersion of counts; at 0 they would have a Poisson distribution."""
MAX_LOG_FACTOR = 8
"""Bound on the logarithm of the learnt factor on the mean of counts, either way."""
MIN_PROBABILITY = 0.01
"""No blend of probabilities is nearer to 0 or 1 than this."""

_SINGLE_PRECISION_DEVICES = ("mps",)
"""Devices without float64."""


class LossTargets(NamedTuple):
    """What a loss compares with, and the units of its network.

    relative: float32 [...], the target above `base` in scales; z: float64 [...], the target itself,
    as transformed. base [...] and scale (float64, it broadcasts) turn what is relative into z. NaN
    where unknown.
    """

    relative: Tensor
    z: Tensor
    base: Tensor
    scale: Tensor

    @classmethod
    def of(cls, batch: Batch, device: torch.device | str = "cpu") -> "LossTargets":
        """Return the targets of a batch of windows, on a device."""
        as_tensor = partial(torch.as_tensor, device=device)
        units = [batch.z, batch.base, batch.scale]
        if torch.device(device).type in _SINGLE_PRECISION_DEVICES:
            units = [array.astype(np.float32) for array in units]
        z, base, scale = map(as_tensor, units)
        return cls(as_tensor(batch.target), z, base, scale)

    def to_z(self, relative: Tensor) -> Tensor:
        """Turn values [..., n] that are relative to the base, in scales, into z."""
        base = self.base[..., None]
        scale = self.scale[..., None]
        return base + relative * scale


class Loss:
    """Base of all losses, for a network that puts out quantiles or one point.

    Outputs are relative to the base, in scales. start: the outputs of a network that has learnt
    nothing. has_location: whether the first (or each) output is a location on that scale.
    """

    start: tuple[float, ...] = (0.0,)
    has_location = True

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Join corrections [..., O] and the blend of the candidates [..., 1] to what is put out."""
        return out + mixed

    def __call__(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the mean loss over the known targets, 0 if none is known."""
        known = ~torch.isnan(targets.relative)

        # A NaN that is only masked afterwards would still make gradients NaN.
        relative = torch.where(known, targets.relative, 0.0)
        filled = targets._replace(relative=relative)
        cost = self.cost(out, filled)

        total = torch.where(known, cost, 0.0).sum()
        count = known.sum().clamp(min=1)

        return total / count

    def naive(self, out: Tensor, targets: LossTargets) -> float:
        """Return the loss of the base itself, in the form of `out`; infinite if it has none."""
        return float(self(torch.zeros_like(out), targets))

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the loss of each step, [...].

        Values for unknown targets are not used, but must have finite gradients.
        """
        raise NotImplementedError

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return quantiles as z, float64 [..., Q], sorted; of a point loss the point itself."""
        z = targets.to_z(out.double())
        return _repeat_last(z, len(levels))


class Quantile(Loss):
    """The pinball loss at NETWORK_QUANTILES (Koenker & Bassett 1978)."""

    start = (0.0,) * len(NETWORK_QUANTILES)

    def __call__(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the mean over all known targets and levels."""
        return pinball_loss(out, targets.relative)

    def quantiles(
        self,
        out: Tensor,
        targets: LossTargets,
        levels: Sequence[float],  # noqa: ARG002
    ) -> Tensor:
        """Return the quantiles at NETWORK_QUANTILES, whatever the levels are."""
        # Nothing keeps the outputs of a network in order.
        ordered = out.double().sort(-1)[0]
        return targets.to_z(ordered)


class SquaredError(Loss):
    """Mean squared error, whose best forecast is the mean on the scale of the transform."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return squared errors in scales."""
        error = _location_error(out, targets)
        return error**2


class AbsoluteError(Loss):
    """Mean absolute error, whose best forecast is the median."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return absolute errors in scales."""
        error = _location_error(out, targets)
        return error.abs()


class Huber(Loss):
    """Squared up to one scale, absolute beyond (Huber 1964)."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return Huber's cost of errors in scales."""
        location = out[..., 0]
        return huber_loss(location, targets.relative, reduction="none")


def _location_error(out: Tensor, targets: LossTargets) -> Tensor:
    """Return the error of the one output, in scales."""
    location = out[..., 0]
    return location - targets.relative


class LikelihoodLoss(Loss):
    """Negative log-likelihood under a distribution that the network puts out."""

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-likelihood of z, float64 [...]."""
        raise NotImplementedError

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the negative log-likelihood of z."""
        return -self.log_density(out, targets)

    def naive(self, out: Tensor, targets: LossTargets) -> float:  # noqa: ARG002
        """Return infinity: the base itself is no distribution."""
        return math.inf


class StudentTParts(NamedTuple):
    """Parameters of Student's t, [...]: degrees of freedom, location and width, in scales."""

    freedom: Tensor
    location: Tensor
    width: Tensor

    def double(self) -> "StudentTParts":
        """Return them as float64."""
        return StudentTParts(*(part.double() for part in self))


class StudentT(LikelihoodLoss):
    """Negative log-likelihood of Student's t (Lange et al. 1989).

    The outputs are its location, its width and its degrees of freedom above 2, the last two before
    a softplus.
    """

    start = (0.0, 0.5, 0.0)

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Add the blend to the location only."""
        location = out[..., :1]
        others = out[..., 1:]
        return torch.cat([location + mixed, others], -1)

    def parts(self, out: Tensor) -> StudentTParts:
        """Return the parameters of the distribution."""
        location, raw_width, raw_freedom = out.unbind(-1)
        # Both are positive by a softplus, and bounded from below by what keeps the loss finite.
        width = softplus(raw_width, beta=5)
        freedom = 5 * softplus(raw_freedom)
        return StudentTParts(
            freedom=MIN_STUDENT_T_FREEDOM + freedom,
            location=location,
            width=width + MIN_STUDENT_T_WIDTH,
        )

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the negative log-likelihood of the target in scales.

        It differs from that of z by a constant, and needs no float64.
        """
        parts = self.parts(out)
        distribution = torch.distributions.StudentT(*parts, validate_args=False)
        log_prob = distribution.log_prob(targets.relative)  # type: ignore[no-untyped-call]
        return -log_prob  # type: ignore[no-any-return]

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return quantiles of the distribution."""
        # Takes a second to import, which other losses do without.
        from scipy import stats

        parts = self.parts(out).double()

        # The levels are a further axis, after those of the parameters.
        freedom = parts.freedom[..., None]
        location = parts.location[..., None]
        width = parts.width[..., None]
        standard = stats.t.ppf(np.asarray(levels), freedom.numpy())
        distance = width * torch.from_numpy(standard)
        relative = location + distance
        return targets.to_z(relative)

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-likelihood of z."""
        parts = self.parts(out).double()
        distribution = torch.distributions.StudentT(*parts, validate_args=False)
        above_base = targets.z - targets.base
        relative = above_base / targets.scale
        log_prob = distribution.log_prob(relative)  # type: ignore[no-untyped-call]

        # The density of z, not of z in scales: change of variables.
        return log_prob - torch.log(targets.scale)  # type: ignore[no-any-return]


class NegativeBinomialParts(NamedTuple):
    """Parameters of a negative binomial distribution, float64 [...].

    failures is r and log_odds log(m / r), for counts of mean m and variance m + m^2 / r.
    """

    failures: Tensor
    log_odds: Tensor


class NegativeBinomial(LikelihoodLoss):
    """Negative log-likelihood of counts: the mean is the blend times a learnt factor.

    The distribution is that of Salinas et al. (2020).
    """

    start = (0.0, -1.0)
    has_location = False

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Put the blend beside: it is a mean only in the target's own units."""
        return torch.cat([mixed, out], -1)

    def parts(self, out: Tensor, targets: LossTargets) -> NegativeBinomialParts:
        """Return the parameters of the distribution."""
        relative, log_factor, raw_dispersion = out.double().unbind(-1)

        # The blend must be positive, and the rest within what keeps the loss finite.
        blend = targets.base + targets.scale * relative
        blend = blend.clamp(min=MIN_COUNT_MEAN)
        log_factor = log_factor.clamp(-MAX_LOG_FACTOR, MAX_LOG_FACTOR)
        dispersion = softplus(raw_dispersion) + MIN_COUNT_DISPERSION

        # With m = blend * factor and r = 1 / dispersion.
        log_mean = torch.log(blend) + log_factor
        log_odds = log_mean + torch.log(dispersion)
        return NegativeBinomialParts(1 / dispersion, log_odds)

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-probability of the count."""
        failures, log_odds = self.parts(out, targets)
        distribution = torch.distributions.NegativeBinomial(
            failures, logits=log_odds, validate_args=False
        )
        # Unknown counts are not used, but a NaN would spoil the gradients.
        counts = torch.nan_to_num(targets.z).clamp(min=0)
        return distribution.log_prob(counts)  # type: ignore[no-any-return, no-untyped-call]

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return quantiles of the distribution, whole numbers."""
        from scipy import stats  # slow to import, as above

        failures, log_odds = self.parts(out, targets)
        # scipy asks for the probability of a failure, torch for the odds of a success.
        probability = torch.sigmoid(-log_odds)
        # The levels are a further axis, as above.
        failures = failures[..., None]
        probability = probability[..., None]
        counts = stats.nbinom.ppf(
            np.asarray(levels), failures.numpy(), probability.numpy()
        )
        return torch.from_numpy(counts)


class Bernoulli(LikelihoodLoss):
    """Cross-entropy of a target of 0 and 1: the blend's log-odds plus a learnt correction."""

    has_location = False

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Put the blend beside: it is a probability only in the target's own units."""
        return torch.cat([mixed, out], -1)

    def _log_odds(self, out: Tensor, targets: LossTargets) -> Tensor:
        relative, correction = out.double().unbind(-1)
        blend = targets.base + targets.scale * relative
        # At 0 or 1 itself the log-odds would be infinite.
        blend = blend.clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
        return torch.logit(blend) + correction

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-probability of the 0 or 1."""
        log_odds = self._log_odds(out, targets)
        # Unknown events are not used, but a NaN would spoil the gradients.
        events = torch.nan_to_num(targets.z)
        return -binary_cross_entropy_with_logits(log_odds, events, reduction="none")

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return the probability of a 1, at every level."""
        log_odds = self._log_odds(out, targets)
        probability = torch.sigmoid(log_odds)
        return _repeat_last(probability[..., None], len(levels))


def _repeat_last(x: Tensor, count: int) -> Tensor:
    """Repeat a last axis of size 1 so many times, without a copy."""
    *leading, _ = x.shape
    return x.expand(*leading, count)


LOSSES: dict[str, Loss] = {
    "quantile": Quantile(),
    "mse": SquaredError(),
    "mae": AbsoluteError(),
    "huber": Huber(),
    "student-t": StudentT(),
    "negative-binomial": NegativeBinomial(),
    "bernoulli": Bernoulli(),
}
"""By the name that a configuration has for it."""


def pinball_loss(quantiles: Tensor, target: Tensor) -> Tensor:
    """Mean quantile loss (Koenker & Bassett 1978) over known targets and levels; 0 without any.

    quantiles: [..., Q] at NETWORK_QUANTILES; target: [...], NaN where unknown.
    """
    levels = quantiles.new_tensor(NETWORK_QUANTILES)
    known = ~torch.isnan(target)
    filled = torch.where(known, target, 0.0)
    error = filled[..., None] - quantiles

    # The share of the level for targets above a quantile, the rest for those below.
    above = levels * error
    below = (levels - 1) * error
    loss = torch.maximum(above, below).mean(-1)

    # Unknown targets count neither in the sum nor in the number.
    total = (loss * known).sum()
    count = known.sum().clamp(min=1)

    return total / count

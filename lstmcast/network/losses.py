"""Losses: what a network puts out for each step, what that costs, and which quantiles it means.

Knows no network. Missing targets (NaN) count for nothing.

Axes: [...] windows and horizon steps, O outputs of a loss, Q quantiles.
"""

import math
from collections.abc import Sequence
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
        arrays = (batch.target, batch.z, batch.base, batch.scale)
        return cls(*(torch.as_tensor(array, device=device) for array in arrays))


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
        filled = targets._replace(relative=torch.where(known, targets.relative, 0.0))
        cost = self.cost(out, filled)
        return torch.where(known, cost, 0.0).sum() / known.sum().clamp(min=1)

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
        z = targets.base[..., None] + out.double() * targets.scale[..., None]
        return z.expand(*z.shape[:-1], len(levels))


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
        ordered = out.double().sort(-1)[0]
        z: Tensor = targets.base[..., None] + ordered * targets.scale[..., None]
        return z


class SquaredError(Loss):
    """Mean squared error, whose best forecast is the mean on the scale of the transform."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return squared errors in scales."""
        return (out[..., 0] - targets.relative) ** 2


class AbsoluteError(Loss):
    """Mean absolute error, whose best forecast is the median."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return absolute errors in scales."""
        return (out[..., 0] - targets.relative).abs()


class Huber(Loss):
    """Squared up to one scale, absolute beyond (Huber 1964)."""

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return Huber's cost of errors in scales."""
        return huber_loss(out[..., 0], targets.relative, reduction="none")


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


class StudentT(LikelihoodLoss):
    """Negative log-likelihood of Student's t (Lange et al. 1989).

    The outputs are its location, its width and its degrees of freedom above 2, the last two before
    a softplus.
    """

    start = (0.0, 0.5, 0.0)

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Add the blend to the location only."""
        return torch.cat([out[..., :1] + mixed, out[..., 1:]], -1)

    def parts(self, out: Tensor) -> StudentTParts:
        """Return the parameters of the distribution."""
        return StudentTParts(
            freedom=MIN_STUDENT_T_FREEDOM + 5 * softplus(out[..., 2]),
            location=out[..., 0],
            width=softplus(out[..., 1], beta=5) + MIN_STUDENT_T_WIDTH,
        )

    def cost(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the negative log-likelihood of the target in scales.

        It differs from that of z by a constant, and needs no float64.
        """
        distribution = torch.distributions.StudentT(
            *self.parts(out), validate_args=False
        )
        cost: Tensor = -distribution.log_prob(targets.relative)  # type: ignore[no-untyped-call]
        return cost

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return quantiles of the distribution."""
        from scipy import (
            stats,
        )  # takes a second to import, which other losses do without

        freedom, location, width = (
            part.double()[..., None] for part in self.parts(out)
        )
        standard = stats.t.ppf(np.asarray(levels), freedom.numpy())
        relative = location + width * torch.from_numpy(standard)
        return targets.base[..., None] + relative * targets.scale[..., None]

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-likelihood of z."""
        freedom, location, width = (part.double() for part in self.parts(out))
        distribution = torch.distributions.StudentT(
            freedom, location, width, validate_args=False
        )
        relative = (targets.z - targets.base) / targets.scale
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
        out = out.double()
        blend = (targets.base + targets.scale * out[..., 0]).clamp(min=MIN_COUNT_MEAN)
        dispersion = softplus(out[..., 2]) + MIN_COUNT_DISPERSION
        log_factor = out[..., 1].clamp(-MAX_LOG_FACTOR, MAX_LOG_FACTOR)
        return NegativeBinomialParts(
            failures=1 / dispersion,
            log_odds=torch.log(blend) + log_factor + torch.log(dispersion),
        )

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-probability of the count."""
        failures, log_odds = self.parts(out, targets)
        distribution = torch.distributions.NegativeBinomial(
            failures, logits=log_odds, validate_args=False
        )
        counts = torch.nan_to_num(targets.z).clamp(min=0)
        return distribution.log_prob(counts)  # type: ignore[no-any-return, no-untyped-call]

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return quantiles of the distribution, whole numbers."""
        from scipy import stats  # slow to import, as above

        failures, log_odds = self.parts(out, targets)
        # scipy asks for the probability of a failure, torch for the odds of a success.
        probability = torch.sigmoid(-log_odds)[..., None].numpy()
        counts = stats.nbinom.ppf(
            np.asarray(levels), failures[..., None].numpy(), probability
        )
        return torch.from_numpy(counts)


class Bernoulli(LikelihoodLoss):
    """Cross-entropy of a target of 0 and 1: the blend's log-odds plus a learnt correction."""

    has_location = False

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """Put the blend beside: it is a probability only in the target's own units."""
        return torch.cat([mixed, out], -1)

    def _log_odds(self, out: Tensor, targets: LossTargets) -> Tensor:
        out = out.double()
        blend = targets.base + targets.scale * out[..., 0]
        return (
            torch.logit(blend.clamp(MIN_PROBABILITY, 1 - MIN_PROBABILITY)) + out[..., 1]
        )

    def log_density(self, out: Tensor, targets: LossTargets) -> Tensor:
        """Return the log-probability of the 0 or 1."""
        log_odds = self._log_odds(out, targets)
        events = torch.nan_to_num(targets.z)
        return -binary_cross_entropy_with_logits(log_odds, events, reduction="none")

    def quantiles(
        self, out: Tensor, targets: LossTargets, levels: Sequence[float]
    ) -> Tensor:
        """Return the probability of a 1, at every level."""
        probability = torch.sigmoid(self._log_odds(out, targets))[..., None]
        return probability.expand(*probability.shape[:-1], len(levels))


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
    levels = torch.tensor(
        NETWORK_QUANTILES, dtype=quantiles.dtype, device=quantiles.device
    )
    known = ~torch.isnan(target)
    error = torch.where(known, target, 0.0)[..., None] - quantiles
    # The share of the level for targets above a quantile, the rest for those below.
    cost = torch.maximum(levels * error, (levels - 1) * error)
    loss = cost.mean(-1)
    return (loss * known).sum() / known.sum().clamp(min=1)

"""Losses: what a network puts out for each step, what that costs, and which quantiles it means. Knows no network.

Missing targets (NaN) count for nothing.

Axes: [...] windows and horizon steps, O outputs of a loss, Q quantiles.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import huber_loss, softplus

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.windows import Batch


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
        """The truth of a batch of windows."""
        parts = (batch.target, batch.z, batch.base, batch.scale)
        return cls(*(torch.as_tensor(part, device=device) for part in parts))


class Loss:
    """Base of all losses: the network puts out quantiles or one point, relative to the base, in scales.

    start: the outputs of a network that has learnt nothing. has_location: whether the first (or
    each) output is a place on the relative scale.
    """

    start: tuple[float, ...] = (0.0,)
    has_location = True

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """What the network puts out, from its corrections [..., O] and the blend of the candidates [..., 1]."""
        return out + mixed

    def __call__(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Mean loss over the known targets, 0 if none is known."""
        known = ~torch.isnan(truth.relative)
        cost = self.cost(out, truth._replace(relative=torch.where(known, truth.relative, 0.0)))
        return torch.where(known, cost, 0.0).sum() / known.sum().clamp(min=1)

    def naive(self, out: Tensor, truth: LossTargets) -> float:
        """The loss of the base alone, in the form of `out`; infinite where that is no forecast."""
        return float(self(torch.zeros_like(out), truth))

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Loss of each step, [...]; what it says of unknown targets is not used, but must have finite gradients."""
        raise NotImplementedError

    def quantiles(self, out: Tensor, truth: LossTargets, levels: Sequence[float]) -> Tensor:
        """Quantiles as z, float64 [..., Q], sorted; of a point loss the point itself."""
        made = truth.base[..., None] + out.double() * truth.scale[..., None]
        return made.expand(*made.shape[:-1], len(levels))


class Quantile(Loss):
    """The pinball loss of the levels QUANTILES (Koenker & Bassett 1978)."""

    start = (0.0,) * len(NETWORK_QUANTILES)

    def __call__(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Mean over all known targets and levels."""
        return pinball_loss(out, truth.relative)

    def quantiles(self, out: Tensor, truth: LossTargets, levels: Sequence[float]) -> Tensor:  # noqa: ARG002
        """The quantiles at QUANTILES, whatever is asked for."""
        made: Tensor = truth.base[..., None] + out.double().sort(-1)[0] * truth.scale[..., None]
        return made


class SquaredError(Loss):
    """Mean squared error: the mean, on the scale of the transform."""

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Squared errors in scales."""
        return (out[..., 0] - truth.relative) ** 2


class AbsoluteError(Loss):
    """Mean absolute error: the median."""

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Absolute errors in scales."""
        return (out[..., 0] - truth.relative).abs()


class Huber(Loss):
    """Squared up to one scale, absolute beyond (Huber 1964)."""

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Huber's cost of errors in scales."""
        return huber_loss(out[..., 0], truth.relative, reduction="none")


class LikelihoodLoss(Loss):
    """Negative log-likelihood under a distribution that the network puts out."""

    def log_density(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Log-likelihood of z, float64 [...]."""
        raise NotImplementedError

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Negative log-likelihood of z."""
        return -self.log_density(out, truth)

    def naive(self, out: Tensor, truth: LossTargets) -> float:  # noqa: ARG002
        """The base alone is no distribution."""
        return math.inf


class StudentT(LikelihoodLoss):
    """Negative log-likelihood of Student's t: place, width, and degrees of freedom above 2 (Lange et al. 1989)."""

    start = (0.0, 0.5, 0.0)

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """The blend moves the place alone."""
        return torch.cat([out[..., :1] + mixed, out[..., 1:]], -1)

    def _parts(self, out: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Degrees of freedom, place and width in scales."""
        return 2.1 + 5 * softplus(out[..., 2]), out[..., 0], softplus(out[..., 1], beta=5) + 1e-3

    def cost(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Negative log-likelihood of the target in scales."""
        student_t = torch.distributions.StudentT(*self._parts(out), validate_args=False)
        cost: Tensor = -student_t.log_prob(truth.relative)  # type: ignore[no-untyped-call]
        return cost

    def quantiles(self, out: Tensor, truth: LossTargets, levels: Sequence[float]) -> Tensor:
        """Quantiles of the distribution."""
        from scipy import stats  # takes a second to import, which other losses can spare

        df, place, width = (part.double()[..., None] for part in self._parts(out))
        made = place + width * torch.from_numpy(stats.t.ppf(np.asarray(levels), df.numpy()))
        return truth.base[..., None] + made * truth.scale[..., None]

    def log_density(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Log-likelihood of z."""
        df, place, width = (part.double() for part in self._parts(out))
        at = (truth.z - truth.base) / truth.scale
        there = torch.distributions.StudentT(df, place, width, validate_args=False).log_prob(at)  # type: ignore[no-untyped-call]
        return there - torch.log(truth.scale)  # type: ignore[no-any-return]


class NegativeBinomial(LikelihoodLoss):
    """Negative log-likelihood of counts: the blend times a learnt factor is the mean (Salinas et al. 2020)."""

    start = (0.0, -1.0)
    has_location = False
    least = 0.01
    """Least mean of a blend: what was always zero so far may still come."""

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """The blend stands beside: it is a mean only in the target's own units."""
        return torch.cat([mixed, out], -1)

    def _parts(self, out: Tensor, truth: LossTargets) -> tuple[Tensor, Tensor]:
        """Number of failures r and log-odds of the distribution, float64: mean m, variance m + m^2 / r."""
        out = out.double()
        blend = (truth.base + truth.scale * out[..., 0]).clamp(min=self.least)
        spread = softplus(out[..., 2]) + 1e-4
        return 1 / spread, torch.log(blend) + out[..., 1].clamp(-8, 8) + torch.log(spread)

    def log_density(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Log-probability of the count."""
        failures, odds = self._parts(out, truth)
        made = torch.distributions.NegativeBinomial(failures, logits=odds, validate_args=False)
        return made.log_prob(torch.nan_to_num(truth.z).clamp(min=0))  # type: ignore[no-any-return, no-untyped-call]

    def quantiles(self, out: Tensor, truth: LossTargets, levels: Sequence[float]) -> Tensor:
        """Quantiles of the distribution, whole numbers."""
        from scipy import stats  # see above

        failures, odds = self._parts(out, truth)
        share = torch.sigmoid(-odds)[..., None].numpy()
        return torch.from_numpy(
            stats.nbinom.ppf(np.asarray(levels), failures[..., None].numpy(), share)
        )


class Bernoulli(LikelihoodLoss):
    """Cross-entropy of a target of 0 and 1: the blend's log-odds plus a learnt correction."""

    has_location = False
    least = 0.01
    """No blend is surer than this."""

    def join(self, out: Tensor, mixed: Tensor) -> Tensor:
        """The blend stands beside: it is a probability only in the target's own units."""
        return torch.cat([mixed, out], -1)

    def _log_odds(self, out: Tensor, truth: LossTargets) -> Tensor:
        out = out.double()
        blend = (truth.base + truth.scale * out[..., 0]).clamp(self.least, 1 - self.least)
        return torch.logit(blend) + out[..., 1]

    def log_density(self, out: Tensor, truth: LossTargets) -> Tensor:
        """Log-probability of the 0 or 1."""
        cost = torch.nn.functional.binary_cross_entropy_with_logits
        return -cost(self._log_odds(out, truth), torch.nan_to_num(truth.z), reduction="none")

    def quantiles(self, out: Tensor, truth: LossTargets, levels: Sequence[float]) -> Tensor:
        """The probability of a 1, at every level."""
        made = torch.sigmoid(self._log_odds(out, truth))[..., None]
        return made.expand(*made.shape[:-1], len(levels))


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
    """Mean quantile loss (Koenker & Bassett 1978) over all known targets and levels; 0 if none is known.

    quantiles: [..., Q] at the levels QUANTILES; target: [...], NaN where unknown.
    """
    levels = torch.tensor(NETWORK_QUANTILES, dtype=quantiles.dtype, device=quantiles.device)
    known = ~torch.isnan(target)
    error = torch.where(known, target, 0.0)[..., None] - quantiles
    loss = torch.maximum(levels * error, (levels - 1) * error).mean(-1)
    return (loss * known).sum() / known.sum().clamp(min=1)

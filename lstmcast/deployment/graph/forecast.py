"""A run's whole forecast as one torch module that can be exported: raw values in, quantiles out.

It does to one batch of series what the packages `features`, `network` and `forecasting` do to a
panel, from the end of each series and nowhere else, in operations that a graph can hold. Those
packages say why each step is as it is; the tests compare the forecasts of both.

Axes: B series, T steps (all of one length), C steps of a chunk, F input features, H horizon, A
candidates, Q quantiles, M ensemble members, Cp past, Cf known-future, Cs static covariates.
"""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.deployment.graph.features import FixedScale, GraphFeatures, GraphSteps
from lstmcast.deployment.graph.operations import last_steps
from lstmcast.deployment.graph.simple import SimpleGraph
from lstmcast.features.candidates import (
    CANDIDATES,
    N_FAST_CANDIDATES,
    horizon_features,
)
from lstmcast.features.steps import FEATURE_CLIP, TARGET_CLIP
from lstmcast.forecasting.quantiles import match_horizon
from lstmcast.forecasting.simple_methods import least_probability
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import to_torch_network

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor

_MEDIAN_INDEX = NETWORK_QUANTILES.index(0.5)
_BASE_INDEX = CANDIDATES.index("seasonal_naive")
"""The candidate that networks correct: their outputs are distances from it."""
_MAX_EXPONENT = 700.0
"""Logs are bounded by this before their exponential: it is close to the largest float."""


class GraphInputs(NamedTuple):
    """The inputs of the graph; those that a run does not have are empty or zeros.

    values: [B, T]. series: [B]. past: [B, T, Cp]. future: [B, T + H, Cf].
    """

    values: Tensor
    series: Tensor
    past: Tensor
    future: Tensor


class NetworkInputs(NamedTuple):
    """What the networks read, with one origin a series.

    x: [C, B, F]. at: [B, 1], the origin in the chunk. local: [B, 1, H, local features]. blend:
    [B, 1, H, A], the candidates. pad: [B], steps of the chunk before the series begins.
    """

    x: Tensor
    at: Tensor
    local: Tensor
    blend: Tensor
    pad: Tensor


class ForecastGraph(nn.Module):
    """The forecast of a run: what `inputs` names -> quantiles, float64 [B, H, Q].

    The levels are NETWORK_QUANTILES. values: float64 [B, T], NaN where missing. Of a run of several
    series, series: int64 [B], their numbers in the run. Of a run with covariates, past: float64
    [B, T, Cp], future: float64 [B, T + H, Cf].
    """

    def __init__(self, run: "Predictor") -> None:
        super().__init__()
        panel = run.panel
        scaling = run.scaling
        scaler = scaling.scaler
        self.horizon = run.horizon
        self.chunk = run.context + run.lead
        self.networks = nn.ModuleList(
            to_torch_network(network).eval() for network in run.networks
        )
        self.target_clip = scaler.bound(TARGET_CLIP)
        self.feature_clip = scaler.bound(FEATURE_CLIP)
        self.features = GraphFeatures(
            scaling.seasons, run.horizon, self.chunk, self.feature_clip
        )
        self.is_binary = run.probability
        self.least_probability = least_probability(run.combination.windows)

        # Everything that depends on the series is looked up by its number.
        self.has_fixed_scale = scaler.spread is not None
        for name in ("log", "shift", "floor", "low"):
            self._register_array(name, getattr(scaler, name))
        if self.has_fixed_scale:
            self._register_array("centre", scaler.centre)
            self._register_array("spread", scaler.spread)
        self._register_array("static", panel.static)
        self.has_effects = scaling.effects.any()
        self._register_array("effect_mean", scaling.effects.mean)
        self._register_array("effect", scaling.effects.effect)

        # Covariates: mean and deviation over all of them, [Cp + Cf + Cs].
        self._register_array("mean", scaling.mean)
        self._register_array("deviation", scaling.deviation)
        covariates = panel.past, panel.future, panel.static
        self.widths = tuple(block.shape[1] for block in covariates)
        is_input = {
            "values": True,
            "series": len(panel) > 1,
            "past": self.widths[0] > 0,
            "future": self.widths[1] > 0,
        }
        self.inputs = tuple(name for name, needed in is_input.items() if needed)

        # The combination, and what point forecasts need to have quantiles.
        self._register_array("members", run.combination.members)
        self._register_array("candidates", run.combination.candidates)
        self.network_share = run.combination.network
        self.widen = run.combination.widen
        self.simple = None
        if run.combination.spread is not None:
            self.simple = SimpleGraph(
                run.combination.method, scaling.seasons, run.memory, run.horizon
            )
            self._register_array("simple_spread", run.combination.spread)
        self.spread = None
        if run.spread is not None:
            spread = match_horizon(run.spread, run.horizon)
            self.spread = torch.from_numpy(spread)

        # Of a series that is not in logs, and of one that is.
        log = np.array([False, True])
        shared = horizon_features(run.horizon, scaling.seasons, log)
        self._register_array("horizon", shared)

    def _register_array(self, name: str, array: Any) -> None:
        """Make an array a constant of the graph; its prefix keeps it apart from attributes."""
        self.register_buffer(f"k_{name}", torch.from_numpy(np.array(array)))

    def _get_array(self, name: str) -> Tensor:
        array: Tensor = getattr(self, f"k_{name}")
        return array

    def _per_series(self, name: str, series: Tensor) -> Tensor:
        """Return the constant of each series in the batch, [B, 1]."""
        constants = self._get_array(name)
        return constants[series][:, None]

    def forward(self, *arrays: Tensor) -> Tensor:
        """Forecast from the inputs, in the order of `inputs`; see the class."""
        inputs = self._complete_inputs(arrays)
        values = inputs.values
        series = inputs.series
        if self.simple is not None:
            return self._forecast_simply(values, series)
        n_steps = values.shape[1]

        # Values as networks know them: in logs where the series is, without covariate effects.
        log = self._per_series("log", series)
        effect = self._covariate_effect(inputs.future, series)
        transformed = self._transform(values, series, log)
        z = transformed - effect[:, :n_steps]
        fixed_scale = self._fixed_scale(series)
        steps = self.features.compute_steps(z, log, fixed_scale)
        x = self.features.encoder_inputs(steps, log)
        x, ahead = self._with_covariates(x, inputs)

        # Candidates relative to the base, in scales: what the decoder reads, and may blend.
        candidates = self.features.candidate_forecasts(steps)
        base = candidates[..., _BASE_INDEX]
        scale = steps.scale[:, -1:]
        blend = (candidates - base[..., None]) / scale[..., None]
        blend = blend.clamp(-self.target_clip, self.target_clip)
        local = self._local_features(steps, blend, base, log, ahead)
        blend = blend.float()

        # From here on the effects are part of the forecast again.
        base = base + effect[:, n_steps:]
        at = torch.full_like(series, self.chunk - 1)[:, None]
        missing_steps = torch.ones_like(series) * (self.chunk - n_steps)
        pad = missing_steps.clamp(min=0)
        # Networks read time first, and may have more origins than this one.
        x = x.transpose(0, 1)
        local = local[:, None]
        one_blend = blend[:, None]
        read = NetworkInputs(x, at, local, one_blend, pad)
        quantiles = self._ensemble_quantiles(read, base, scale, series)

        # The candidates as networks blend them: clipped, and with the digits of float32.
        z = base[..., None] + blend.double() * scale[..., None]
        classical = self._inverse_transform(z, series)
        if self.is_binary:
            classical = classical.clamp(0, 1)
        return self._combine_forecasts(quantiles, classical, series)

    def _forecast_simply(self, values: Tensor, series: Tensor) -> Tensor:
        """Forecast by the simple method that the forecast of the run is, [B, H, Q]."""
        assert self.simple is not None
        centre, unit = self.simple(values)
        distance = unit[..., None] * self._get_array("simple_spread")
        quantiles = centre[..., None] + distance
        if self.is_binary:
            # A probability has no interval.
            chance = self.least_probability
            quantiles = centre[..., None].expand_as(quantiles)
            quantiles = quantiles.clamp(chance, 1 - chance)
        return torch.maximum(quantiles, self._per_series("low", series)[..., None])

    def _complete_inputs(self, arrays: tuple[Tensor, ...]) -> GraphInputs:
        """Return all inputs: a run of one series is number 0, covariates may be [.., .., 0]."""
        named = dict(zip(self.inputs, arrays, strict=True))
        values = named["values"]

        # Made of the values, so that they have the batch's size, whatever it is.
        first = torch.zeros_like(values[:, 0], dtype=torch.int64)
        ahead = values[:, :1].expand(-1, self.horizon)
        steps = torch.cat([values, ahead], 1)[..., None]
        n_past, n_future, _ = self.widths
        no_past = values[..., None].expand(-1, -1, n_past)
        no_future = steps.expand(-1, -1, n_future)
        return GraphInputs(
            values,
            named.get("series", first),
            named.get("past", no_past),
            named.get("future", no_future),
        )

    def _fixed_scale(self, series: Tensor) -> FixedScale | None:
        if not self.has_fixed_scale:
            return None
        return FixedScale(
            self._per_series("centre", series), self._per_series("spread", series)
        )

    def _covariate_effect(self, future: Tensor, series: Tensor) -> Tensor:
        """Return what covariates known ahead add, [B, T + H]; see `CovariateEffects`."""
        if not self.has_effects:
            return future.new_zeros(1, 1).expand(future.shape[0], future.shape[1])
        mean = self._per_series("effect_mean", series)
        effect = self._per_series("effect", series)
        # A missing covariate has its mean, and so no effect.
        distance = torch.nan_to_num(future - mean)
        return (distance * effect).sum(-1)

    def _transform(self, values: Tensor, series: Tensor, log: Tensor) -> Tensor:
        """Return values in the units of the features, as `features.scaler.transform_values`."""
        floor = self._per_series("floor", series)
        shifted = values + self._per_series("shift", series)
        floored = torch.where(log & (shifted < floor), floor, shifted)
        # The logarithm is taken of 1 where it is not used: a NaN would be one of both branches.
        logarithm = torch.log(torch.where(log, floored, 1.0))
        return torch.where(log, logarithm, floored)

    def _inverse_transform(self, z: Tensor, series: Tensor) -> Tensor:
        """Return z [B, H, ...] in the user's units; nothing falls below a series' `low`."""
        log = self._per_series("log", series)[..., None]
        shift = self._per_series("shift", series)[..., None]
        low = self._per_series("low", series)[..., None]

        bounded = z.clamp(max=_MAX_EXPONENT)
        exponential = torch.exp(bounded)
        values = torch.where(log, exponential, z)
        values = values - shift
        return torch.maximum(values, low)

    def _with_covariates(self, x: Tensor, inputs: GraphInputs) -> tuple[Tensor, Tensor]:
        """Append to the steps of the chunk the covariates known at them, [B, C, F + Cp + Cf + Cs].

        Returns also the known-future covariates of the horizon, [B, H, Cf].
        """
        n_steps = inputs.values.shape[1]
        static = self._get_array("static")[inputs.series][:, None]
        static = static.expand(-1, n_steps, -1)

        # Means and deviations of all three lie in one array, one kind after the other.
        past_end, n_future, n_static = self.widths
        future_end = past_end + n_future
        static_end = future_end + n_static
        past = self._standardize(inputs.past, slice(0, past_end))
        future = self._standardize(inputs.future, slice(past_end, future_end))
        static = self._standardize(static, slice(future_end, static_end))

        observed_future = future[:, :n_steps]
        covariates = torch.cat([past, observed_future, static], -1)
        of_chunk = last_steps(covariates, self.chunk)
        x = torch.cat([x, of_chunk], -1)
        ahead = future[:, n_steps:]
        return x, ahead

    def _standardize(self, block: Tensor, columns: slice) -> Tensor:
        """Return covariates in deviations from their means, float32; missing ones are the mean."""
        mean = self._get_array("mean")[columns]
        deviation = self._get_array("deviation")[columns]
        relative = torch.nan_to_num((block - mean) / deviation)
        return relative.clamp(-FEATURE_CLIP, FEATURE_CLIP).float()

    def _local_features(
        self, steps: GraphSteps, blend: Tensor, base: Tensor, log: Tensor, ahead: Tensor
    ) -> Tensor:
        """Return what the decoder reads of each horizon step, [B, H, local features].

        The candidates, differences of seasonal values, the features of the step, and covariates.
        """
        older = [self.features.older_values(steps, back) - base for back in (1, 2)]
        change = base - steps.z[:, -1:]
        differences = torch.stack([*older, change], -1)
        scale = steps.scale[:, -1:]
        relative = differences / scale[..., None]

        clip = self.feature_clip
        fast = blend[..., :N_FAST_CANDIDATES]
        patterns = blend[..., N_FAST_CANDIDATES:]
        first = torch.cat([fast, relative], -1).clamp(-clip, clip).float()
        last = patterns.clamp(-clip, clip).float()
        # One row for series that are not in logs, one for those that are.
        row = log[:, 0].long()
        shared = self._get_array("horizon")[row]
        return torch.cat([first, shared, last, ahead], -1)

    def _ensemble_quantiles(
        self, inputs: NetworkInputs, base: Tensor, scale: Tensor, series: Tensor
    ) -> Tensor:
        """Return the weighted mean of all members' sorted quantiles, in the user's units [B, H, Q].

        base: [B, H] and scale: [B, 1], the units of the networks.
        """
        # Quantiles need the units of the targets only: their values are not known yet.
        unknown = torch.full_like(base, float("nan"))
        targets = LossTargets(unknown.float(), unknown, base, scale)
        members = self._get_array("members")
        total = torch.zeros_like(base)[..., None]
        for m, network in enumerate(self.networks):
            out = network(*inputs)[:, 0]  # of the one origin
            z = network.loss.quantiles(out, targets, NETWORK_QUANTILES)  # type: ignore[operator, union-attr]
            # A point forecast is one value: what sets its quantiles apart is kept beside it.
            if self.spread is not None:
                distance = self.spread[m] * scale[..., None]
                z = z + distance
            values = self._inverse_transform(z, series)
            total = total + members[m] * values
        return total

    def _combine_forecasts(
        self, quantiles: Tensor, candidates: Tensor, series: Tensor
    ) -> Tensor:
        """Mix networks and candidates and widen the intervals, as `combination` says."""
        median = quantiles[..., _MEDIAN_INDEX : _MEDIAN_INDEX + 1]
        weights = self._get_array("candidates")
        classical = (candidates * weights).sum(-1, keepdim=True)
        centre = self.network_share * median + (1 - self.network_share) * classical

        # What is widened is the distance from the median; the mix takes the median's place.
        low = self._per_series("low", series)[..., None]
        distance = quantiles - median
        widened = centre + self.widen * distance
        return torch.maximum(widened, low)

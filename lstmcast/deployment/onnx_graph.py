"""A run's whole forecast as one torch module that can be exported: raw values in, quantiles out.

It does to one batch of series what `features`, `windows`, `inference` and `guard` do to a panel,
from the end of each series and nowhere else, in operations that a graph can hold: recursive means
are products with a matrix of their weights, of which only the rows at the end are made. Those rooms
say why each step is as it is; the tests hold both to the same forecasts.

Axes: B series, T steps (all of one length), C steps of a chunk, H horizon, A candidates, Q
quantiles, M networks, Cp past, Cf known-future, Cs static covariates.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from lstmcast.config import NETWORK_QUANTILES
from lstmcast.features.candidates import horizon_features, same_phase_offsets
from lstmcast.features.steps import FEATURE_CLIP, MIN_SCALE, TARGET_CLIP
from lstmcast.forecasting.quantiles import match_horizon
from lstmcast.network.losses import LossTargets
from lstmcast.network.torch_network import to_torch_network

if TYPE_CHECKING:
    from lstmcast.forecasting.predictor import Predictor

_MEDIAN_INDEX = NETWORK_QUANTILES.index(0.5)
_FILL_DOUBLINGS = 20
"""A gap is filled from at most 2 to this power steps before."""


class ForecastGraph(nn.Module):
    """What `inputs` names -> quantiles, float64 [B, H, Q], at the levels QUANTILES.

    values: float64 [B, T], NaN where missing. Of a run of several series, series: int64 [B], their
    numbers in the run. Of a run with covariates, past: float64 [B, T, Cp], future: float64 [B, T +
    H, Cf].
    """

    def __init__(self, run: "Predictor") -> None:
        super().__init__()
        scaling = run.scaling
        self.horizon, (self.m, self.m2) = run.horizon, scaling.seasons
        self.chunk = (
            run.context + min(2 * run.context, int(run.panel.lengths.max())) // 2
        )
        self.networks = nn.ModuleList(
            to_torch_network(one).eval() for one in run.networks
        )
        self.bound = tuple(
            scaling.scaler.bound(usual) for usual in (TARGET_CLIP, FEATURE_CLIP)
        )
        self.fixed = scaling.scaler.spread is not None
        self.event = run.probability
        names = (
            "log",
            "shift",
            "floor",
            "low",
            *(("centre", "spread") if self.fixed else ()),
        )
        for name in names:
            self._register_array(name, getattr(scaling.scaler, name))
        self._register_array("mean", scaling.mean)
        self._register_array("deviation", scaling.deviation)
        self.explains = scaling.effects.any()
        self._register_array("effect_mean", scaling.effects.mean)
        self._register_array("effect", scaling.effects.effect)
        self._register_array("static", run.panel.static)
        self.widths = (
            run.panel.past.shape[1],
            run.panel.future.shape[1],
            run.panel.static.shape[1],
        )
        asked = {
            "values": 1,
            "series": len(run.panel) - 1,
            "past": self.widths[0],
            "future": self.widths[1],
        }
        self.inputs = tuple(name for name, needed in asked.items() if needed)
        self._register_array("members", run.guard.members)
        self._register_array("choice", run.guard.candidates)
        self.share, self.widen = run.guard.network, run.guard.widen
        self.spread = None
        if run.spread is not None:
            self.spread = torch.from_numpy(match_horizon(run.spread, run.horizon))
        log = np.array([False, True])
        self._register_array(
            "of_horizon", horizon_features(run.horizon, scaling.seasons, log)
        )

    def _register_array(self, name: str, array: Any) -> None:
        self.register_buffer(f"k_{name}", torch.from_numpy(np.array(array)))

    def _per_series(self, name: str, series: Tensor) -> Tensor:
        """What is known of each series, [B, 1]."""
        return self._get_array(name)[series][:, None]

    def _get_array(self, name: str) -> Tensor:
        kept: Tensor = getattr(self, f"k_{name}")
        return kept

    def forward(self, *given: Tensor) -> Tensor:
        """The inputs in their order; see the class."""
        named = dict(zip(self.inputs, given, strict=True))
        values = named["values"]
        series = named.get("series", torch.zeros_like(values[:, 0], dtype=torch.int64))
        steps = torch.cat([values, values[:, :1].expand(-1, self.horizon)], 1)[
            ..., None
        ]
        past = named.get("past", values[..., None].expand(-1, -1, self.widths[0]))
        future = named.get("future", steps.expand(-1, -1, self.widths[1]))
        log = self._per_series("log", series)
        effect = self._covariate_effect(future, series)
        z = self._transform(values, series, log) - effect[:, : values.shape[1]]
        x, parts = self._step_features(z, series, log)
        x, ahead = self._with_covariates(x, values, series, past, future)
        options = self._candidate_forecasts(parts)  # (B, H, A)
        base, scale = options[..., 1], parts["scale"][:, -1:]
        limit, clip = self.bound
        blend = ((options - base[..., None]) / scale[..., None]).clamp(-limit, limit)
        older = [self._older_season_values(parts["z"], back) - base for back in (1, 2)]
        relative = (
            torch.stack([*older, base - parts["z"][:, -1:]], -1) / scale[..., None]
        )
        local = torch.cat([blend, relative], -1).clamp(-clip, clip).float()
        shared = self._get_array("of_horizon")[log[:, 0].long()]
        local, blend = torch.cat([local, shared, ahead], -1)[:, None], blend.float()
        base = base + effect[:, values.shape[1] :]
        pad = (torch.ones_like(series) * (self.chunk - values.shape[1])).clamp(min=0)
        made = self._ensemble_quantiles(
            (x.transpose(0, 1), local, blend[:, None], pad), base, scale, series
        )
        mixed = self._inverse_transform(
            base[..., None] + blend.double() * scale[..., None], series
        )
        if self.event:
            mixed = mixed.clamp(0, 1)
        return self._combine_forecasts(made, mixed, series)

    def _covariate_effect(self, future: Tensor, series: Tensor) -> Tensor:
        """What covariates known ahead add, [B, T + H]."""
        if not self.explains:
            return future.new_zeros(1, 1).expand(future.shape[0], future.shape[1])
        mean, effect = (
            self._per_series("effect_mean", series),
            self._per_series("effect", series),
        )
        return (torch.nan_to_num(future - mean) * effect).sum(-1)

    def _transform(self, values: Tensor, series: Tensor, log: Tensor) -> Tensor:
        shifted = values + self._per_series("shift", series)
        floored = torch.where(
            log & (shifted < self._per_series("floor", series)),
            self._per_series("floor", series),
            shifted,
        )
        return torch.where(log, torch.log(torch.where(log, floored, 1.0)), floored)

    def _inverse_transform(self, z: Tensor, series: Tensor) -> Tensor:
        log, shift, low = (
            self._per_series(name, series)[..., None]
            for name in ("log", "shift", "low")
        )
        return torch.maximum(
            torch.where(log, torch.exp(z.clamp(max=700.0)), z) - shift, low
        )

    def _ensemble_quantiles(
        self, inputs: tuple[Tensor, ...], base: Tensor, scale: Tensor, series: Tensor
    ) -> Tensor:
        """Sorted quantiles of all networks together, [B, H, Q], in the user's units."""
        x, local, blend, pad = inputs
        at = torch.full_like(series, self.chunk - 1)[:, None]
        nothing = torch.full_like(base, float("nan"))
        truth = LossTargets(nothing.float(), nothing, base, scale)
        total = torch.zeros_like(base)[..., None]
        for m, network in enumerate(self.networks):
            out = network(x, at, local, blend, pad)[:, 0]
            z = network.loss.quantiles(out, truth, NETWORK_QUANTILES)  # type: ignore[operator, union-attr]
            if self.spread is not None:
                z = z + self.spread[m] * scale[..., None]
            total = total + self._get_array("members")[m] * self._inverse_transform(
                z, series
            )
        return total

    def _combine_forecasts(
        self, quantiles: Tensor, options: Tensor, series: Tensor
    ) -> Tensor:
        median = quantiles[..., _MEDIAN_INDEX : _MEDIAN_INDEX + 1]
        classical = (options * self._get_array("choice")).sum(-1, keepdim=True)
        centre = self.share * median + (1 - self.share) * classical
        return torch.maximum(
            centre + self.widen * (quantiles - median),
            self._per_series("low", series)[..., None],
        )

    def _with_covariates(
        self, x: Tensor, values: Tensor, series: Tensor, past: Tensor, future: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The steps of the chunk with what is known at them, and what is known of the horizon [B, H, Cf]."""
        static = self._get_array("static")[series][:, None].expand(
            -1, values.shape[1], -1
        )
        ends = np.cumsum([0, *self.widths])
        blocks = []
        for begin, end, block in zip(
            ends, ends[1:], (past, future, static), strict=False
        ):
            mean, deviation = (
                self._get_array(name)[begin:end] for name in ("mean", "deviation")
            )
            blocks.append(
                torch.nan_to_num((block - mean) / deviation)
                .clamp(-FEATURE_CLIP, FEATURE_CLIP)
                .float()
            )
        steps = torch.cat([blocks[0], blocks[1][:, : values.shape[1]], blocks[2]], -1)
        return torch.cat([x, self._last_steps(steps, self.chunk)], -1), blocks[1][
            :, values.shape[1] :
        ]

    def _step_features(
        self, z: Tensor, series: Tensor, log: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """What the encoder reads [B, C, F], and what the candidates are made of: the last C + 1 steps of each."""
        m, m2, rows = self.m, self.m2, self.chunk + 1
        seen = ~torch.isnan(z)
        w, z = seen.double(), self._fill_gaps(z)
        t = torch.arange(z.shape[1], dtype=torch.float64)
        k = max(m, 4)
        average = _moving_average(z, t, k)
        index = (
            self._season_index(z - average, z, w, t, m, 0.3)
            if m > 1
            else torch.zeros_like(z)
        )
        adjusted = z - torch.where(t < m, index, _lag_steps(index, m))
        drift = torch.where(t >= k, (average - _lag_steps(average, k)) / k, 0.0)
        trend = self._ema(drift, torch.where(t >= k, w, 0.0), 1 / max(m, 5))
        level, slow = self._ema(adjusted, w, 0.5), self._ema(adjusted, w, 0.1)
        slope = self._last_steps(_regression_slope(adjusted, w, t), rows)
        profile = (
            self._season_index(z - _moving_average(z, t, m2), z, w, t, m2, 0.4)
            if m2
            else torch.zeros_like(z)
        )
        d1, dm = _lagged_difference(z, t, 1), _lagged_difference(z, t, m)
        usual = torch.maximum(average.abs(), torch.cumsum(z.abs(), 1) / (t + 1)) + 1e-9
        size = self._last_steps(torch.where(log, 1.0, usual), rows)
        scale = self._running_scale(d1, dm, w, t) + MIN_SCALE * size
        centre = self._last_steps(average, rows)
        if self.fixed:
            centre, scale = (
                self._per_series("centre", series),
                self._per_series("spread", series).expand(-1, rows),
            )
        scale = torch.where(
            scale > 0, scale, 1.0
        )  # before the first step there is none, nor is it read
        parts = {
            "z": z,
            "index": index,
            "profile": profile,
            "level": level,
            "slow": slow,
            "trend": trend,
        }
        parts |= {"slope": slope, "scale": scale}
        tail = {
            name: self._last_steps(array, rows)
            for name, array in (("z", z), ("index", index), ("w", w), ("t", t[None]))
        }
        tail |= {
            "d1": self._last_steps(d1, rows),
            "dm": self._last_steps(dm, rows),
            "average": self._last_steps(average, rows),
        }
        expected = torch.where(
            tail["t"] == 0,
            tail["z"],
            _lag_steps(level, 1) + self._last_steps(_lag_steps(index, m), rows),
        )
        season_ago = self._last_steps(
            torch.where(t >= m - 1, _lag_steps(z, m - 1) - z, 0.0), rows
        )
        ones = torch.ones_like(scale)
        x = [
            (tail["z"] - centre) / scale,
            tail["d1"] / scale,
            tail["dm"] / scale,
            0.2 * torch.log(scale / size.clamp(min=1e-300) + 1e-6),
            ones * tail["t"].clamp(max=200) / 100,
            (tail["z"] - expected) / scale,
            trend * k / scale,
            self._last_steps(_lagged_difference(average, t, 1), rows) * m / scale,
            self._last_steps(_lagged_difference(z, t, m2), rows) / scale
            if m2
            else ones * 0,
            self._last_steps(
                torch.where(t >= m2 - 1, _lag_steps(z, m2 - 1) - z, 0.0), rows
            )
            / scale
            if m2
            else ones * 0,
            season_ago / scale if m > 1 else ones * 0,
            slope * k / scale,
            ones * (tail["t"] / m).clamp(max=20) / 10,
            ones * (np.log(m) / 4),
            ones * float(m2 > 0),
            ones * log.double(),
            1 - tail["w"],
        ]
        clip = self.bound[1]
        table = torch.stack(x, -1).clamp(-clip, clip).float()
        inside = torch.arange(1 - rows, 1) + z.shape[1] - 1 >= 0
        return torch.where(inside[:, None], table, 0.0)[:, 1:], parts

    def _fill_gaps(self, z: Tensor) -> Tensor:
        """Gaps filled from the past: from the same phase of an earlier season, else from the last value."""
        filled = z
        if self.m > 1:
            filled = _forward_fill(_reshape_to_cycles(z, self.m, float("nan"))).flatten(
                1
            )[:, : z.shape[1]]
        return torch.nan_to_num(_forward_fill(filled[..., None])[..., 0])

    def _running_scale(self, d1: Tensor, dm: Tensor, w: Tensor, t: Tensor) -> Tensor:
        m = self.m
        alpha = 1 / max(2 * m, 10)
        scale = self._ema(d1.abs(), w * _lag_steps(w, 1), alpha)
        if m == 1:
            return scale
        seasonal = self._ema(
            dm.abs(), torch.where(t >= m, w * _lag_steps(w, m), 0.0), alpha
        )
        late = self._last_steps(t[None], self.chunk + 1) >= m
        return torch.where(late, torch.maximum(seasonal, 0.25 * scale), scale)

    def _season_index(
        self, rest: Tensor, z: Tensor, w: Tensor, t: Tensor, m: int, alpha: float
    ) -> Tensor:
        first = torch.where(t < m, w, 0.0)
        mean = (z * first).sum(1, keepdim=True) / first.sum(1, keepdim=True).clamp(
            min=1
        )
        rest = torch.where(t < m, z - mean, rest)
        x, weight = _reshape_to_cycles(rest, m, 0.0), _reshape_to_cycles(w, m, 0.0)
        count = torch.arange(x.shape[1], dtype=torch.float64)
        return _weighted_means(_ema_weights(count, count, alpha), x, weight).flatten(1)[
            :, : z.shape[1]
        ]

    def _ema(self, x: Tensor, weight: Tensor, alpha: float) -> Tensor:
        """Exponential moving average that skips steps of weight 0, at the last C + 1 steps."""
        t = torch.arange(x.shape[1], dtype=torch.float64)
        rows = torch.arange(-self.chunk, 1, dtype=torch.float64) + x.shape[1] - 1
        return _weighted_means(
            _ema_weights(rows, t, alpha), x[..., None], weight[..., None]
        )[..., 0]

    def _last_steps(self, x: Tensor, steps: int) -> Tensor:
        """The last steps of [B, T, ...], zeros before the first."""
        nothing = x.new_zeros(x.shape[0], steps, *x.shape[2:])
        return torch.cat([nothing, x], 1)[:, -steps:]

    def _candidate_forecasts(self, parts: dict[str, Tensor]) -> Tensor:
        """Classical forecasts [B, H, A], in the order of CANDIDATES."""
        m, m2, z = self.m, self.m2, parts["z"]
        h = np.arange(1, self.horizon + 1)
        last = z[:, -1:].expand(-1, self.horizon)
        naive, known = _values_from_end(z, torch.from_numpy(same_phase_offsets(h, m)))
        naive = torch.where(known, naive, last)
        found, known = _values_from_end(
            parts["index"], torch.from_numpy(same_phase_offsets(h, m))
        )
        index = torch.where(known, found, 0.0) if m > 1 else torch.zeros_like(last)
        level = parts["level"][:, -1:] + index
        naive2, profile = naive, level
        if m2:
            ago = torch.from_numpy(same_phase_offsets(h, m2))
            found, known = _values_from_end(z, ago)
            naive2 = torch.where(known, found, naive)
            found, known = _values_from_end(parts["profile"], ago)
            whole = torch.ones_like(known) * z.shape[1] >= m2
            profile = torch.where(known & whole, parts["level"][:, -1:] + found, level)
        steps = torch.from_numpy(h.astype(np.float64))
        damping = torch.from_numpy(np.cumsum((0.9 if m == 1 else 0.98) ** h))
        trended, sloped = (
            parts["trend"][:, -1:] * damping,
            0.5 * parts["slope"][:, -1:] * steps,
        )
        made = [
            last,
            naive,
            naive2,
            level,
            level + trended,
            parts["slow"][:, -1:] + index,
            level + sloped,
            profile,
        ]
        return torch.stack(made, -1)

    def _older_season_values(self, z: Tensor, back: int) -> Tensor:
        """The value `back` seasons before the seasonal-naive one, or the oldest of that phase: [B, H]."""
        at = (
            torch.from_numpy(same_phase_offsets(np.arange(1, self.horizon + 1), self.m))
            + z.shape[1]
            - 1
        )
        for _ in range(back):
            at = torch.where(at - self.m >= 0, at - self.m, at)
        return z[:, at.clamp(min=0)]


def _values_from_end(x: Tensor, ago: Tensor) -> tuple[Tensor, Tensor]:
    """Values so far from the end, 0 or less, [B, H], and whether there are such steps [H]."""
    at = ago + x.shape[1] - 1
    return x[:, at.clamp(min=0)], at >= 0


def _ema_weights(rows: Tensor, t: Tensor, alpha: float) -> Tensor:
    """Weight of each step t in the recursive mean at each of the rows; none of what is later."""
    age = rows[:, None] - t[None]
    return torch.where(
        age >= 0,
        alpha
        * torch.pow(torch.tensor(1 - alpha, dtype=torch.float64), age.clamp(min=0)),
        0.0,
    )


def _weighted_means(weights: Tensor, x: Tensor, weight: Tensor) -> Tensor:
    """Weighted means along axis 1: [R, T], [B, T, m], [B, T, m] -> [B, R, m]."""
    mass = torch.matmul(weights, weight)
    total = torch.matmul(weights, x * weight)
    return torch.where(mass > 1e-300, total / mass.clamp(min=1e-300), 0.0)


def _reshape_to_cycles(z: Tensor, m: int, fill: float) -> Tensor:
    """[B, T] -> [B, cycles, m], padded at the end."""
    padded = torch.cat([z, torch.full_like(z[:, :1], fill).expand(-1, m - 1)], 1)
    whole = padded.shape[1] // m * m
    return padded[:, :whole].reshape(z.shape[0], -1, m)


def _forward_fill(z: Tensor) -> Tensor:
    """Replace NaN by the last value before it along axis 1 of [B, T, m]."""
    at = torch.arange(z.shape[1])
    for power in range(_FILL_DOUBLINGS):
        before = z[:, (at - 2**power).clamp(min=0)]
        z = torch.where(torch.isnan(z) & (at >= 2**power)[:, None], before, z)
    return z


def _moving_average(z: Tensor, t: Tensor, window: int) -> Tensor:
    base = z[:, :1]
    total = torch.cumsum(z - base, 1)
    return base + (total - _lag_steps(total, window)) / (t + 1).clamp(max=window)


def _regression_slope(z: Tensor, w: Tensor, t: Tensor) -> Tensor:
    y = (z - z[:, :1]) * w
    n, st, stt = (torch.cumsum(x, 1) for x in (w, w * t, w * t * t))
    sy, sty = torch.cumsum(y, 1), torch.cumsum(y * t, 1)
    spread = n * stt - st * st
    usable = (n >= 4) & (spread > 0)
    return torch.where(
        usable, (n * sty - st * sy) / torch.where(usable, spread, 1.0), 0.0
    )


def _lag_steps(z: Tensor, k: int) -> Tensor:
    return (
        torch.cat([torch.zeros_like(z[:, :1]).expand(-1, k), z], 1)[:, : z.shape[1]]
        if k
        else z
    )


def _lagged_difference(z: Tensor, t: Tensor, k: int) -> Tensor:
    return torch.where(t >= k, z - _lag_steps(z, k), 0.0)

"""A forecaster of sktime (the extra `sktime`): for its pipelines, searches and evaluations.

    from lstmcast.adapters.sktime import LstmcastForecaster

    forecaster = LstmcastForecaster(season=12).fit(y, X, fh=[1, 2, 3])
    forecaster.predict_interval(X=X_ahead, coverage=0.9)

Axes: N series, H steps of the forecasting horizon, Q quantiles.
"""

from typing import Any

import numpy as np
import pandas as pd

from lstmcast.api.forecaster import Forecaster
from lstmcast.config import Config
from lstmcast.extras import require_extra
from lstmcast.forecasting.estimator import with_settings
from lstmcast.forecasting.predictor import Predictor
from lstmcast.ragged import Floats

require_extra("the adapter needs", "sktime", "sktime")

from sktime.forecasting.base import BaseForecaster  # noqa: E402 - after the check

_TARGET, _TIME, _KEY, _COVARIATE = "target", "time", "key_{}", "covariate_{}"
"""Columns of the frames that are read: names of sktime's may be numbers, or missing."""


class LstmcastForecaster(BaseForecaster):  # type: ignore[misc]
    """Forecasts of one series, or of a panel by one model, with prediction intervals.

    Covariates X are taken as known ahead. Panels and hierarchies are learnt together. `update`
    learns from newer values if that makes the forecasts better, and without `update_params` goes on
    from them. The fitted `lstmcast.Forecaster` is the attribute `forecaster_`, with its verdict and
    its pictures.

    Args:
        season: steps of the season (default: found in the data).
        context: steps that the network looks back on (default: found in the data).
        steps: training steps; 0 forecasts with the weights that come with the package.
        members: networks of the ensemble.
        seed: of what is random.
        config: all other settings, see `lstmcast.Config`; those given by name change it. Its
            horizon is that of the fit, by default the last step of `fh`.

    Examples:
        >>> from sktime.datasets import load_airline
        >>> from lstmcast.adapters.sktime import LstmcastForecaster
        >>> forecaster = LstmcastForecaster(steps=0)
        >>> forecaster.fit(load_airline(), fh=[1, 2, 3])
        LstmcastForecaster(...)
        >>> forecast = forecaster.predict()
    """

    _tags = {
        "object_type": "forecaster",
        "authors": ["lstmcast developers"],
        "maintainers": ["lstmcast developers"],
        "python_version": ">=3.11",
        "y_inner_mtype": ["pd.Series", "pd-multiindex", "pd_multiindex_hier"],
        "X_inner_mtype": ["pd.DataFrame", "pd-multiindex", "pd_multiindex_hier"],
        "capability:multivariate": False,
        "capability:exogenous": True,
        "capability:insample": False,
        "capability:pred_int": True,
        "capability:pred_int:insample": False,
        "capability:missing_values": True,
        "capability:update": True,
        "capability:non_contiguous_X": False,
        "capability:categorical_in_X": False,
        "capability:random_state": False,
        "requires-fh-in-fit": False,
        "X-y-must-have-same-index": True,
    }

    def __init__(
        self,
        season: int | None = None,
        context: int | None = None,
        steps: int | None = None,
        members: int | None = None,
        seed: int | None = None,
        config: Config | None = None,
    ) -> None:
        self.season = season
        self.context = context
        self.steps = steps
        self.members = members
        self.seed = seed
        self.config = config
        super().__init__()

    def _fit(self, y: Any, X: Any, fh: Any) -> "LstmcastForecaster":
        config = self._make_config()
        if config.window.horizon is None and fh is not None:
            last_step = int(fh.to_relative(self.cutoff).to_numpy().max())
            config = with_settings(config, {"horizon": max(last_step, 1)})
        frame = _to_long_frame(y, X)
        self.forecaster_: Predictor = Forecaster(config).fit(
            frame,
            target=_TARGET,
            time=_TIME,
            series=_names_beginning_with(_KEY, frame),
            future=_names_beginning_with(_COVARIATE, frame),
        )
        # Names and keys of what comes out, without the values.
        self._head = y[:0]
        self._keys = _list_keys(y)
        return self

    def _update(
        self, y: Any, X: Any = None, update_params: bool = True
    ) -> "LstmcastForecaster":
        # Without steps the history grows, and nothing is learnt.
        steps = None if update_params else 0
        assert isinstance(self.forecaster_, Forecaster)
        newer = self.forecaster_.update(_to_long_frame(y, X), steps=steps, revised=True)
        self.forecaster_ = newer.forecaster
        self._keys = list(dict.fromkeys([*self._keys, *_list_keys(y)]))
        return self

    def _predict(self, fh: Any, X: Any) -> Any:
        medians = self._forecast(fh, X, [0.5])[..., 0]
        index = self._make_index(fh)
        if isinstance(self._head, pd.Series):
            return pd.Series(medians.ravel(), index=index, name=self._head.name)
        return pd.DataFrame({self._head.columns[0]: medians.ravel()}, index=index)

    def _predict_quantiles(self, fh: Any, X: Any, alpha: list[float]) -> Any:
        quantiles = self._forecast(fh, X, alpha)
        columns = self._get_columns(method="predict_quantiles", alpha=alpha)
        table = quantiles.reshape(-1, len(alpha))
        return pd.DataFrame(table, index=self._make_index(fh), columns=columns)

    def _make_config(self) -> Config:
        """The configuration with the settings that were given by name."""
        names = ("season", "context", "steps", "members", "seed")
        given = {name: getattr(self, name) for name in names}
        changes = {name: value for name, value in given.items() if value is not None}
        return with_settings(self.config or Config(), changes)

    def _forecast(self, fh: Any, X: Any, levels: list[float]) -> Floats:
        """Quantiles [N, H, Q] at the steps of a horizon, which counts from the common cutoff."""
        panel = self.forecaster_.panel
        ends = panel.start + panel.lengths
        late = ends.max() - ends
        steps = fh.to_relative(self.cutoff).to_numpy().astype(np.int64)
        horizon = int(steps.max() + late.max())

        future = None
        if X is not None and panel.columns.future:
            is_ahead = X.index.get_level_values(-1) > self.cutoff[0]
            future = _to_long_frame(None, X[is_ahead])
        assert isinstance(self.forecaster_, Forecaster)
        table = self.forecaster_.predict(
            horizon=horizon, future=future, quantiles=sorted(levels)
        )
        names = [f"q{round(100 * level, 6):g}" for level in levels]
        by_step = table[names].to_numpy().reshape(len(panel), horizon, len(levels))
        # A series that ended earlier than others has as many more steps to go.
        rows = late[:, None] + steps - 1
        return np.asarray(np.take_along_axis(by_step, rows[..., None], axis=1))

    def _make_index(self, fh: Any) -> Any:
        """Index of a forecast: the steps of the horizon, for each series."""
        times = fh.to_absolute_index(self.cutoff)
        if not self._keys:
            return times
        tuples = [(*key, time) for key in self._keys for time in times]
        return pd.MultiIndex.from_tuples(tuples, names=self._head.index.names)

    @classmethod
    def get_test_params(cls, parameter_set: str = "default") -> list[dict[str, Any]]:
        """Return settings that sktime's checks run with: quick ones."""
        del parameter_set  # there is one set only
        return [{"steps": 0}, {"steps": 0, "season": 4, "config": Config(horizon=2)}]


def _list_keys(y: Any) -> list[tuple[Any, ...]]:
    """Keys of the series of a panel, in the order of their first appearance; none of one series."""
    if y.index.nlevels == 1:
        return []
    keys = y.index.droplevel(-1).unique()
    return [key if isinstance(key, tuple) else (key,) for key in keys]


def _names_beginning_with(pattern: str, frame: pd.DataFrame) -> list[str]:
    start = pattern.format("")
    return [name for name in map(str, frame) if name.startswith(start)]


def _to_long_frame(y: Any, X: Any) -> pd.DataFrame:
    """A frame with a row for each series and time, under names of our own.

    y: a Series or a frame of one column; None for the covariates alone. X: a frame of covariates,
    or None.
    """
    index = X.index if y is None else y.index
    columns: dict[str, Any] = {}
    for place in range(index.nlevels - 1):
        columns[_KEY.format(place)] = index.get_level_values(place)
    times = index.get_level_values(-1)
    if isinstance(times, pd.PeriodIndex):
        times = times.to_timestamp()
    columns[_TIME] = times
    if y is not None:
        columns[_TARGET] = np.asarray(y, dtype=np.float64).ravel()
    if X is not None:
        aligned = X.reindex(index)
        for place in range(aligned.shape[1]):
            columns[_COVARIATE.format(place)] = aligned.iloc[:, place].to_numpy()
    return pd.DataFrame(columns)

"""A forecaster that reads frames, and that Python, scikit-learn and notebooks know how to show.

What people call is in `forecaster` and `pictures`, which build on this.
"""

from typing import Any

import numpy as np
import pandas as pd

from lstmcast.api.arguments import (
    is_future_frame,
    read_future,
    read_like_forecaster,
    resolve_horizon,
)
from lstmcast.api.representation import describe_as_html, describe_in_a_line
from lstmcast.errors import NotFittedError
from lstmcast.forecasting import predictor
from lstmcast.panel.frames.native import FrameKind
from lstmcast.panel.panel import Panel
from lstmcast.training import forecaster as training

_FITTED = frozenset(predictor.Predictor.__annotations__) - {"_habits"}
"""Attributes that `fit` sets."""


class FrameForecaster(training.Forecaster):
    """A forecaster that remembers the kind of frame that it was fitted to."""

    _kind: FrameKind = FrameKind()
    """What results are returned as: that of the data that were fitted."""

    def _read(self, data: Any) -> tuple[Panel, FrameKind]:
        """Read data as those of the fit; None is those of the fit themselves."""
        self._require_fitted()
        if data is None:
            return self.panel, self._kind
        panel, kind = read_like_forecaster(data, self)
        return panel, self._kind if isinstance(data, Panel) else kind

    def _read_to_predict(
        self, data: Any, horizon: Any, future: Any
    ) -> tuple[Panel, int | None, FrameKind]:
        """Read what `predict` takes: a panel with the future in it, steps ahead, kind of frame.

        In the place of the data there may be a horizon, or a frame of the future.
        """
        self._require_fitted()
        if _is_horizon(data):
            horizon, data = data, None
        if future is None and is_future_frame(data, self.panel.columns):
            future, data = data, None
        known, kind = self._read(data)
        steps = resolve_horizon(horizon, known)
        if future is not None:
            known = read_future(future, known, self)
        return known, steps, kind

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(
                "this Forecaster is not fitted yet", "call fit(data) first"
            )

    def __sklearn_is_fitted__(self) -> bool:
        return "networks" in vars(self)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )

    def __getattr__(self, name: str) -> Any:
        # Python asks here for what is not there only.
        if name in _FITTED:
            self._require_fitted()
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}",
            name=name,
            obj=self,
        )

    def __repr__(self) -> str:
        quantiles = self.get_params(deep=False).get("quantiles")
        is_fitted = self.__sklearn_is_fitted__()
        return describe_in_a_line(self, quantiles, is_fitted=is_fitted)

    def _repr_html_(self) -> str:
        return describe_as_html(self, is_fitted=self.__sklearn_is_fitted__())


def _is_horizon(value: Any) -> bool:
    """Whether an argument is a number of steps or a span of time, and no data."""
    return isinstance(value, int | np.integer | str | pd.Timedelta)

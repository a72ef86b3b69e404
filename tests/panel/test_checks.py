"""What a panel must have before it is fitted to or forecast from."""

import numpy as np
import pandas as pd
import pytest

from lstmcast.config import Config, ModelConfig, TrainConfig, WindowConfig
from lstmcast.errors import DataError, LstmcastError, UsageError
from lstmcast.panel.checks import (
    require_binary_values,
    require_fit,
    require_future_covariates,
    require_positive_values,
    require_series_length,
)
from lstmcast.panel.panel import Panel
from lstmcast.training.forecaster import Forecaster
from tests.make import panel_of


@pytest.mark.parametrize(
    ("context", "horizon", "message"),
    [
        (
            9,
            4,
            "need 13 (context 9 and horizon 4), the longest series has 12"
            ".*largest context that fits is 8",
        ),
        (1, 12, "need 13 (context 1 and horizon 12).*longest horizon that fits is 11"),
        (None, 12, "need 13 (context 1 and horizon 12).*--horizon 11"),
        (8, None, "need 20 (context 8 and horizon 12).*--horizon 11"),
    ],
)
def test_too_few_steps_are_reported_with_what_fits(
    context: int | None, horizon: int | None, message: str
) -> None:
    panel = panel_of([np.arange(12.0), np.arange(5.0)])
    with pytest.raises(DataError) as caught:
        require_series_length(
            panel, WindowConfig(context=context, horizon=horizon), horizon or 12
        )
    for part in message.split(".*"):
        assert part in f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize(("context", "horizon"), [(8, 4), (None, 11), (None, None)])
def test_what_fits_or_was_not_requested_is_no_error(
    context: int | None, horizon: int | None
) -> None:
    window = WindowConfig(context=context, horizon=horizon)
    require_series_length(panel_of([np.arange(12.0)]), window, horizon or 12)


def planned(empty: dict[str, list[int]]) -> Panel:
    """Eight days of a and b and four planned ones; `empty` are the days of b without a price."""
    parts = []
    for shop in "ab":
        price = np.arange(12.0)
        price[empty.get(shop, [])] = np.nan
        days = pd.date_range("2024-01-01", periods=12)
        sold = np.r_[np.arange(8.0), [np.nan] * 4]
        parts.append(
            pd.DataFrame(
                {"shop": shop, "day": days, "sold": sold, "price": price, "open": "yes"}
            )
        )
    return Panel.from_frame(
        pd.concat(parts), target="sold", series="shop", future=["price", "open"]
    )


def test_covariates_known_for_the_whole_horizon_are_enough() -> None:
    require_future_covariates(planned({"b": [2, 11]}), 3)
    require_future_covariates(panel_of([np.arange(12.0)]), 50)


def test_a_gap_in_what_is_known_ahead_is_named_by_column_series_and_date() -> None:
    with pytest.raises(
        DataError,
        match=r"\(price\) are missing in series 'b' for 2024-01-10: need 4 .* have 3",
    ):
        require_future_covariates(planned({"b": [9]}), 4)
    with pytest.raises(
        DataError,
        match=r"in series 'a' for 2024-01-09, 2024-01-12 \(and 1 more series\)",
    ):
        require_future_covariates(planned({"a": [8, 11], "b": [9]}), 4)
    with pytest.raises(
        DataError, match=r"\(price, open\) .* for 2024-01-13, 2024-01-14.*have 4"
    ):
        require_future_covariates(planned({}), 6)


BINARY = np.arange(12.0) % 2


@pytest.mark.parametrize(
    ("values", "config", "error", "message"),
    [
        (
            np.arange(4.0),
            Config(window=WindowConfig(horizon=4)),
            DataError,
            "too few steps",
        ),
        (BINARY, Config(), DataError, "holds only 0 and 1"),
        (
            np.arange(12.0),
            Config(train=TrainConfig(loss="bernoulli")),
            UsageError,
            "of 0 and 1",
        ),
        (
            BINARY - 0.5,
            Config(train=TrainConfig(loss="negative-binomial")),
            UsageError,
            "of counts",
        ),
        (
            np.arange(12.0),
            Config(model=ModelConfig(transform="log")),
            UsageError,
            "above 0: 0",
        ),
    ],
)
def test_the_fit_of_the_library_makes_every_check(
    values: np.ndarray, config: Config, error: type[LstmcastError], message: str
) -> None:
    panel = panel_of([values])
    with pytest.raises(error, match=message):
        require_fit(panel, config, config.window.horizon)
    with pytest.raises(error, match=message):
        Forecaster(config).fit(panel)


def test_a_panel_that_suits_its_configuration_passes_every_check() -> None:
    require_fit(panel_of([BINARY]), Config(train=TrainConfig(loss="bernoulli")), None)
    require_fit(panel_of([np.arange(12.0)]), Config(window=WindowConfig(horizon=4)), 4)


def test_a_value_without_a_logarithm_is_named_by_its_series_and_date() -> None:
    later = np.arange(1.0, 13.0)
    later[4] = -3.0
    panel = panel_of([np.arange(1.0, 13.0), later])
    with pytest.raises(UsageError) as caught:
        require_positive_values(panel)
    assert "-3" in caught.value.message
    assert "s1" in caught.value.message
    assert "2001-05" in caught.value.message


def test_another_value_than_0_and_1_is_named_by_its_date() -> None:
    panel = panel_of([np.array([0.0, 1.0, np.nan, 0.0])])
    require_binary_values(panel)
    with pytest.raises(DataError, match=r"target of 0 and 1: 0\.5.*and 1 more"):
        require_binary_values(panel_of([np.array([0.0, 0.5, 1.0, -1e308])]))

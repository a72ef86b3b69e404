import dataclasses
from typing import Any

import pytest

from lstmcast.cli.options.fitting import (
    FitOptions,
    ForecastOptions,
    ModelOptions,
    TrainOptions,
    WindowOptions,
)
from lstmcast.cli.options.reading import DataOptions
from lstmcast.config import Config
from lstmcast.errors import UsageError


@pytest.mark.parametrize("options", [FitOptions(), ForecastOptions()])
def test_options_left_out_give_the_defaults_of_the_configuration(
    options: ForecastOptions,
) -> None:
    assert options.config() == Config()


@pytest.mark.parametrize(
    ("group", "section"),
    [
        (DataOptions, "data"),
        (WindowOptions, "window"),
        (ModelOptions, "model"),
        (TrainOptions, "train"),
    ],
)
def test_an_option_sets_the_setting_of_its_name(group: Any, section: str) -> None:
    settings = {field.name for field in dataclasses.fields(getattr(Config(), section))}
    assert {field.name for field in dataclasses.fields(group)} <= settings


def test_a_fit_takes_its_settings_from_all_groups() -> None:
    options = FitOptions(
        reading=DataOptions(fill="zero"),
        window=WindowOptions(horizon=3),
        model=ModelOptions(cell="gru"),
        train=TrainOptions(members=2),
    )
    config = options.config()
    assert (config.data.fill, config.window.horizon) == ("zero", 3)
    assert (config.model.cell, config.train.members) == ("gru", 2)


def test_a_value_out_of_range_is_refused_by_the_configuration() -> None:
    with pytest.raises(UsageError, match="members=0"):
        TrainOptions(members=0).config()

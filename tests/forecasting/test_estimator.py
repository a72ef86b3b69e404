"""A forecaster has its settings read, changed and copied as scikit-learn's estimators do."""

import copy
import inspect
from typing import Any

import pytest

from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.errors import UsageError
from lstmcast.training.forecaster import Forecaster


def clone(estimator: Any) -> Any:
    """What `sklearn.base.clone` does, its check of the constructor included."""
    params = {
        name: copy.deepcopy(value)
        for name, value in estimator.get_params(deep=False).items()
    }
    new = type(estimator)(**params)
    found = new.get_params(deep=False)
    assert all(found[name] is params[name] for name in params)
    return new


def test_the_constructor_takes_its_parameters_and_does_nothing_with_them() -> None:
    config = Config(train=TrainConfig(steps=3))
    forecaster = Forecaster(config)
    assert vars(forecaster) == {"config": config}
    assert set(inspect.signature(Forecaster.__init__).parameters) - {"self"} == set(
        forecaster.get_params(deep=False)
    )


def test_a_clone_has_the_same_settings_and_has_learnt_nothing() -> None:
    forecaster = Forecaster(Config(model=ModelConfig(cell="gru")))
    forecaster.horizon = 3  # as fit does
    config = forecaster.config
    copied = clone(forecaster)
    assert (copied.config, vars(copied)) == (config, {"config": config})


def test_every_setting_can_be_read_and_changed_by_its_name() -> None:
    forecaster = Forecaster()
    names = forecaster.get_params()
    assert names.pop("config") == Config()
    assert set(names) == {
        f"{s}__{f}" for s, fields in Config().to_dict().items() for f in fields
    }
    assert forecaster.set_params(**names).config == Config()
    again = forecaster.set_params(model__cell="gru", train__steps=3, train__loss="mse")
    assert again is forecaster
    assert (
        forecaster.config.model.cell,
        forecaster.config.train.steps,
        forecaster.config.train.loss,
    ) == (
        "gru",
        3,
        "mse",
    )
    assert forecaster.get_params()["train__steps"] == 3
    assert forecaster.set_params(config=Config(), train__seed=4).config == Config(
        train=TrainConfig(seed=4)
    )


def test_a_setting_needs_no_section() -> None:
    forecaster = Forecaster().set_params(horizon=7, cell="gru", train__seed=4)
    assert forecaster.config == Config(horizon=7, cell="gru", seed=4)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"train__step": 3}, "unknown setting 'train__step'"),
        ({"steppes": 3}, "unknown setting 'steppes'; did you mean 'steps'"),
        ({"model__steps": 3}, "unknown setting 'model__steps'"),
        ({"h": 3}, "it is called 'horizon' here"),
        ({"train__steps": -1}, "steps=-1 is out of range"),
        ({"model__cell": "lsmt"}, "'lsmt'"),
    ],
)
def test_an_invalid_name_or_value_is_refused_and_changes_nothing(
    settings: dict[str, Any], message: str
) -> None:
    forecaster = Forecaster()
    with pytest.raises(UsageError, match=message):
        forecaster.set_params(**settings)
    assert forecaster.config == Config()


def test_scikit_learn_itself_can_clone_it() -> None:
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    forecaster = Forecaster(Config(train=TrainConfig(steps=3)))
    assert base.clone(forecaster).get_params() == forecaster.get_params()

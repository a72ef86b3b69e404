"""A forecaster is set, asked and copied as scikit-learn's estimators are."""

import copy
import inspect
from typing import Any

import pytest

from lstmcast.config import Config, ModelConfig, TrainConfig
from lstmcast.errors import UsageError
from lstmcast.training.forecaster import Forecaster


def clone(estimator: Any) -> Any:
    """What `sklearn.base.clone` does, its check of the constructor included."""
    given = {name: copy.deepcopy(value) for name, value in estimator.get_params(deep=False).items()}
    new = type(estimator)(**given)
    kept = new.get_params(deep=False)
    assert all(kept[name] is given[name] for name in given)
    return new


def test_the_constructor_takes_its_parameters_and_does_nothing_with_them() -> None:
    config = Config(train=TrainConfig(steps=3))
    made = Forecaster(config)
    assert vars(made) == {"config": config}
    assert set(inspect.signature(Forecaster.__init__).parameters) - {"self"} == set(
        made.get_params(deep=False)
    )


def test_a_clone_has_the_same_settings_and_has_learnt_nothing() -> None:
    one = Forecaster(Config(model=ModelConfig(cell="gru")))
    one.horizon = 3  # as fit does
    two = clone(one)
    assert (two.config, vars(two)) == (one.config, {"config": one.config})


def test_every_setting_is_there_by_its_name_and_can_be_changed_by_it() -> None:
    one = Forecaster()
    names = one.get_params()
    assert names.pop("config") == Config()
    assert set(names) == {f"{s}__{f}" for s, fields in Config().to_dict().items() for f in fields}
    assert one.set_params(**names).config == Config()
    again = one.set_params(model__cell="gru", train__steps=3, train__loss="mse")
    assert again is one
    assert (one.config.model.cell, one.config.train.steps, one.config.train.loss) == (
        "gru",
        3,
        "mse",
    )
    assert one.get_params()["train__steps"] == 3
    assert one.set_params(config=Config(), train__seed=4).config == Config(
        train=TrainConfig(seed=4)
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"train__step": 3}, "unknown setting 'train__step'"),
        ({"steps": 3}, "unknown setting 'steps'"),
        ({"train__steps": -1}, "--steps -1 is out of range"),
        ({"model__cell": "lsmt"}, "'lsmt'"),
    ],
)
def test_a_name_or_value_that_cannot_be_is_refused_and_changes_nothing(
    given: dict[str, Any], says: str
) -> None:
    one = Forecaster()
    with pytest.raises(UsageError, match=says):
        one.set_params(**given)
    assert one.config == Config()


def test_scikit_learn_itself_can_clone_it() -> None:
    base = pytest.importorskip("sklearn.base", reason="scikit-learn is not installed")
    one = Forecaster(Config(train=TrainConfig(steps=3)))
    assert base.clone(one).get_params() == one.get_params()

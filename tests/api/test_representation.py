"""A forecaster shows the settings that matter, and what it knows of itself."""

from lstmcast.api.representation import (
    describe_as_html,
    describe_in_a_line,
    describe_settings,
)
from lstmcast.config import Config
from lstmcast.training.forecaster import Forecaster


def test_only_settings_that_are_not_the_default_are_shown() -> None:
    assert describe_settings(Config()) == ""
    config = Config(horizon=3, cell="gru", fill="zero")
    assert describe_settings(config) == "fill='zero', horizon=3, cell='gru'"


def test_before_a_fit_there_is_nothing_else() -> None:
    forecaster = Forecaster(Config(cell="gru"))
    assert describe_in_a_line(forecaster, is_fitted=False) == "Forecaster(cell='gru')"
    page = describe_as_html(forecaster, is_fitted=False)
    assert "not fitted yet" in page and "cell=&#x27;gru&#x27;" in page

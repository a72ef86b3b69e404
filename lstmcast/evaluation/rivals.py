"""Which simple methods a verdict will compare with, known before anything is fitted."""

from lstmcast.config import Config
from lstmcast.features.preprocessing import infer_seasons_without_effects
from lstmcast.features.seasonal.seasonality import infer_seasons
from lstmcast.panel.calendar import with_calendar_covariates
from lstmcast.panel.gaps import without_lines
from lstmcast.panel.panel import Panel
from lstmcast.scoring.theta import require_rival


def require_rival_of_fit(name: str, past: Panel, config: Config) -> None:
    """Raise UsageError where a verdict on a fit to `past` would not compare with this method.

    Seasonal methods are there for the seasons that the fit will find, which are looked for here as
    a fit does. name: "" for the best method, which there always is.
    """
    if not name:
        return
    past = without_lines(past, joint=config.inputs.joint)
    with_calendar = with_calendar_covariates(past, config.inputs, 0)
    seasons = infer_seasons_without_effects(with_calendar, config)
    probability = config.train.loss == "bernoulli"
    require_rival(name, seasons[:2], probability=probability)


def find_rival_season(panel: Panel, season: int) -> int:
    """Return the steps of a season that the data show beside this one, 0 for none.

    Repeating it is a rival too: the day before may be far worse than the week before.
    """
    shown = infer_seasons(panel)
    others = [steps for steps in shown if steps > 1 and steps != season]
    return others[0] if others else 0

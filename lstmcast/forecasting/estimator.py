"""The settings of an estimator by name, as scikit-learn's tools ask for them. Knows no data and no torch."""

from dataclasses import fields, replace
from typing import Any, Self

from lstmcast.config import Config
from lstmcast.errors import UsageError, suggest_similar


class Estimator:
    """What holds a configuration, with `get_params` and `set_params` of scikit-learn's estimators.

    Every setting has the name of its section and its own, `train__loss`; `config` is all of them.
    Nothing is looked at before `fit`, and `sklearn.base.clone` makes an unfitted copy (Buitinck et
    al. 2013).
    """

    def __init__(self, config: Config = Config()) -> None:  # noqa: B008 - frozen
        self.config = config

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The settings by name; with `deep` each one, else the configuration alone."""
        return {"config": self.config, **(_flatten_settings(self.config) if deep else {})}

    def set_params(self, **params: Any) -> Self:
        """Change settings by name, for the next `fit`. Raises UsageError for a name or value that is out of range."""
        config: Config = params.pop("config", self.config)
        changes: dict[str, dict[str, Any]] = {}
        known = _flatten_settings(config)
        for name, value in params.items():
            if name not in known:
                raise UsageError(f"unknown setting {name!r}", suggest_similar(name, known))
            section, _, field = name.partition("__")
            changes.setdefault(section, {})[field] = value
        self.config = replace(
            config, **{s: replace(getattr(config, s), **given) for s, given in changes.items()}
        )
        return self


def _flatten_settings(config: Config) -> dict[str, Any]:
    return {
        f"{section.name}__{field.name}": getattr(getattr(config, section.name), field.name)
        for section in fields(config)
        for field in fields(getattr(config, section.name))
    }

"""The settings of an estimator by name, as scikit-learn's tools ask for them.

Knows neither data nor torch.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Self

from lstmcast.config import Config, group_settings


class Estimator:
    """A configuration with `get_params` and `set_params`, as scikit-learn's estimators have them.

    The name of a setting is its own, `loss`, or with its section, `train__loss`; `config` is all of
    them. Nothing is checked against data before `fit`, and `sklearn.base.clone` makes an unfitted
    copy (Buitinck et al. 2013).
    """

    def __init__(self, config: Config = Config()) -> None:  # noqa: B008 - frozen
        self.config = config

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the settings by name: each one with `deep`, else only the configuration."""
        params: dict[str, Any] = {"config": self.config}
        if deep:
            params.update(_iter_settings(self.config))
        return params

    def set_params(self, **params: Any) -> Self:
        """Change settings by name, for the next `fit`.

        Raises ArgumentError for an unknown name, UsageError for a value out of range; then nothing
        is changed.
        """
        config: Config = params.pop("config", self.config)
        self.config = with_settings(config, params)
        return self


def with_settings(config: Config, settings: dict[str, Any]) -> Config:
    """Return the configuration with some settings changed, see `config.group_settings`."""
    # All of a section's settings at once: it checks what they are together.
    sections = {}
    for section, changes in group_settings(settings).items():
        before = getattr(config, section)
        sections[section] = replace(before, **changes)
    changed = replace(config, **sections)
    # The same object where nothing changes, as scikit-learn's checks ask for.
    return config if changed == config else changed


def list_changed_settings(config: Config) -> dict[str, Any]:
    """List the settings that are not the default, by their own names."""
    default = Config()
    changed = {}
    for section in fields(config):
        ours = getattr(config, section.name)
        usual = getattr(default, section.name)
        for setting in fields(ours):
            value = getattr(ours, setting.name)
            if value != getattr(usual, setting.name):
                changed[setting.name] = value
    return changed


def _iter_settings(config: Config) -> Iterator[tuple[str, Any]]:
    """Iterate over name and value of every setting, `section__setting`."""
    for section in fields(config):
        settings = getattr(config, section.name)
        for setting in fields(settings):
            value = getattr(settings, setting.name)
            yield f"{section.name}__{setting.name}", value

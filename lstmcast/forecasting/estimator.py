"""The settings of an estimator by name, as scikit-learn's tools ask for them.

Knows neither data nor torch.
"""

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, Self

from lstmcast.config import Config
from lstmcast.errors import UsageError, suggest_similar


class Estimator:
    """A configuration with `get_params` and `set_params`, as scikit-learn's estimators have them.

    The name of a setting is its section and its own, `train__loss`; `config` is all of them.
    Nothing is checked against data before `fit`, and `sklearn.base.clone` makes an unfitted copy
    (Buitinck et al. 2013).
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

        Raises UsageError for an unknown name or a value out of range; then nothing is changed.
        """
        config: Config = params.pop("config", self.config)
        known = dict(_iter_settings(config))
        changes: dict[str, dict[str, Any]] = {}
        for name, value in params.items():
            if name not in known:
                raise UsageError(
                    f"unknown setting {name!r}", suggest_similar(name, known)
                )
            section, _, setting = name.partition("__")
            of_section = changes.setdefault(section, {})
            of_section[setting] = value

        # All of a section's settings at once: it checks what they are together.
        sections = {}
        for section, settings in changes.items():
            before = getattr(config, section)
            sections[section] = replace(before, **settings)

        self.config = replace(config, **sections)
        return self


def _iter_settings(config: Config) -> Iterator[tuple[str, Any]]:
    """Iterate over name and value of every setting, `section__setting`."""
    for section in fields(config):
        settings = getattr(config, section.name)
        for setting in fields(settings):
            value = getattr(settings, setting.name)
            yield f"{section.name}__{setting.name}", value

"""Forecast time series with a small recurrent network that must beat the classical baselines or say so.

    from lstmcast import Forecaster, Panel
    panel = Panel.from_frame(frame, target="price")
    forecast = Forecaster().fit(panel).predict()

Public names are loaded when they are first used, so that importing the package is cheap.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmcast.anomaly import Detection as Detection
    from lstmcast.anomaly import Detector as Detector
    from lstmcast.anomaly import detect as detect
    from lstmcast.backtest import Result as Result
    from lstmcast.backtest import backtest as backtest
    from lstmcast.backtest import evaluate as evaluate
    from lstmcast.backtest import score as score
    from lstmcast.config import Columns as Columns
    from lstmcast.config import Config as Config
    from lstmcast.config import DataConfig as DataConfig
    from lstmcast.config import InputConfig as InputConfig
    from lstmcast.config import ModelConfig as ModelConfig
    from lstmcast.config import TrainConfig as TrainConfig
    from lstmcast.config import WindowConfig as WindowConfig
    from lstmcast.errors import DataError as DataError
    from lstmcast.errors import DivergedError as DivergedError
    from lstmcast.errors import ExitCode as ExitCode
    from lstmcast.errors import GateError as GateError
    from lstmcast.errors import LockedError as LockedError
    from lstmcast.errors import LstmcastError as LstmcastError
    from lstmcast.errors import ResourceError as ResourceError
    from lstmcast.errors import RunError as RunError
    from lstmcast.errors import UsageError as UsageError
    from lstmcast.explain import Explanation as Explanation
    from lstmcast.explain import explain as explain
    from lstmcast.export import Exported as Exported
    from lstmcast.export import export as export
    from lstmcast.forecaster import Forecaster as Forecaster
    from lstmcast.panel import Panel as Panel
    from lstmcast.read import read_table as read_table
    from lstmcast.tune import Tuning as Tuning
    from lstmcast.tune import tune as tune
    from lstmcast.update import Update as Update
    from lstmcast.update import update as update
    from lstmcast.verdict import Verdict as Verdict

    __version__: str

_HOMES = {
    "anomaly": ("Detection", "Detector", "detect"),
    "backtest": ("Result", "backtest", "evaluate", "score"),
    "config": ("Columns", "Config", "DataConfig", "InputConfig", "ModelConfig", "TrainConfig", "WindowConfig"),
    "errors": (
        *("DataError", "DivergedError", "ExitCode", "GateError", "LockedError", "LstmcastError"),
        *("ResourceError", "RunError", "UsageError"),
    ),
    "explain": ("Explanation", "explain"),
    "export": ("Exported", "export"),
    "forecaster": ("Forecaster",),
    "panel": ("Panel",),
    "read": ("read_table",),
    "tune": ("Tuning", "tune"),
    "update": ("Update", "update"),
    "verdict": ("Verdict",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # slower than all else here

        return version("lstmcast")
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """The package as a module whose public names stay what they are.

    The import system binds a submodule to its package under its own name; `lstmcast.backtest` must stay the function.
    """

    def __setattr__(self, name: str, value: Any) -> None:
        if not (isinstance(value, ModuleType) and name in _HOME):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package

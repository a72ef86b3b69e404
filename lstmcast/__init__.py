"""Forecast time series with a small LSTM that must beat the classical baselines, or say so.

    from lstmcast import Forecaster, Panel
    panel = Panel.from_frame(frame, target="price")
    forecast = Forecaster().fit(panel).predict()

Public names are loaded when they are first used, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmcast.config import Columns as Columns
    from lstmcast.config import Config as Config
    from lstmcast.config import DataConfig as DataConfig
    from lstmcast.config import InputConfig as InputConfig
    from lstmcast.config import ModelConfig as ModelConfig
    from lstmcast.config import TrainConfig as TrainConfig
    from lstmcast.config import WindowConfig as WindowConfig
    from lstmcast.deployment.export import Exported as Exported
    from lstmcast.deployment.export import export as export
    from lstmcast.errors import DataError as DataError
    from lstmcast.errors import DivergedError as DivergedError
    from lstmcast.errors import ExitCode as ExitCode
    from lstmcast.errors import GateError as GateError
    from lstmcast.errors import LockedError as LockedError
    from lstmcast.errors import LstmcastError as LstmcastError
    from lstmcast.errors import ResourceError as ResourceError
    from lstmcast.errors import RunError as RunError
    from lstmcast.errors import UsageError as UsageError
    from lstmcast.evaluation.backtest import Result as Result
    from lstmcast.evaluation.backtest import backtest as backtest
    from lstmcast.evaluation.backtest import evaluate as evaluate
    from lstmcast.evaluation.backtest import score as score
    from lstmcast.evaluation.explain import Explanation as Explanation
    from lstmcast.evaluation.explain import explain as explain
    from lstmcast.monitoring.detect import Detection as Detection
    from lstmcast.monitoring.detect import Detector as Detector
    from lstmcast.monitoring.detect import detect as detect
    from lstmcast.monitoring.update import Update as Update
    from lstmcast.monitoring.update import update as update
    from lstmcast.panel.panel import Panel as Panel
    from lstmcast.scoring.verdict import Verdict as Verdict
    from lstmcast.tables.read import read_table as read_table
    from lstmcast.training.forecaster import Forecaster as Forecaster
    from lstmcast.tuning.tune import Tuning as Tuning
    from lstmcast.tuning.tune import tune as tune

    __version__: str

# Public names by the module that they live in.
_NAMES = {
    "monitoring.detect": ("Detection", "Detector", "detect"),
    "evaluation.backtest": ("Result", "backtest", "evaluate", "score"),
    "config": (
        "Columns",
        "Config",
        "DataConfig",
        "InputConfig",
        "ModelConfig",
        "TrainConfig",
        "WindowConfig",
    ),
    "errors": (
        *(
            "DataError",
            "DivergedError",
            "ExitCode",
            "GateError",
            "LockedError",
            "LstmcastError",
        ),
        *("ResourceError", "RunError", "UsageError"),
    ),
    "evaluation.explain": ("Explanation", "explain"),
    "deployment.export": ("Exported", "export"),
    "training.forecaster": ("Forecaster",),
    "panel.panel": ("Panel",),
    "tables.read": ("read_table",),
    "tuning.tune": ("Tuning", "tune"),
    "monitoring.update": ("Update", "update"),
    "scoring.verdict": ("Verdict",),
}
_MODULE_OF = {name: module for module, names in _NAMES.items() for name in names}
__all__ = sorted([*_MODULE_OF, "__version__"])


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # slow to import

        return version("lstmcast")
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_MODULE_OF[name]}")
    return getattr(module, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

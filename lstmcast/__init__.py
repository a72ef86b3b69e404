"""Forecast time series with a small LSTM that must beat the classical baselines, or say so.

    from lstmcast import Forecaster
    forecast = Forecaster(horizon=14).fit(frame, target="price").predict(level=[80])

Public names are loaded when they are first used, so that importing the package is cheap.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lstmcast.api.detection import Detection as Detection
    from lstmcast.api.forecaster import Forecaster as Forecaster
    from lstmcast.api.functions import backtest as backtest
    from lstmcast.api.functions import detect as detect
    from lstmcast.api.functions import evaluate as evaluate
    from lstmcast.api.functions import explain as explain
    from lstmcast.api.functions import score as score
    from lstmcast.api.functions import tune as tune
    from lstmcast.api.functions import update as update
    from lstmcast.compute.progress import Event as Event
    from lstmcast.config import Columns as Columns
    from lstmcast.config import Config as Config
    from lstmcast.config import DataConfig as DataConfig
    from lstmcast.config import InputConfig as InputConfig
    from lstmcast.config import ModelConfig as ModelConfig
    from lstmcast.config import TrainConfig as TrainConfig
    from lstmcast.config import WindowConfig as WindowConfig
    from lstmcast.deployment.export import Exported as Exported
    from lstmcast.deployment.export import export as export
    from lstmcast.errors import ArgumentError as ArgumentError
    from lstmcast.errors import DataError as DataError
    from lstmcast.errors import DivergedError as DivergedError
    from lstmcast.errors import ExitCode as ExitCode
    from lstmcast.errors import GateError as GateError
    from lstmcast.errors import LockedError as LockedError
    from lstmcast.errors import LstmcastError as LstmcastError
    from lstmcast.errors import NotFittedError as NotFittedError
    from lstmcast.errors import ResourceError as ResourceError
    from lstmcast.errors import RunError as RunError
    from lstmcast.errors import UsageError as UsageError
    from lstmcast.evaluation.explain import Explanation as Explanation
    from lstmcast.evaluation.result import Result as Result
    from lstmcast.monitoring.detect import Detector as Detector
    from lstmcast.monitoring.evidence.stream import EvidenceStream as EvidenceStream
    from lstmcast.monitoring.update import Update as Update
    from lstmcast.panel.panel import Panel as Panel
    from lstmcast.scoring.verdict import Verdict as Verdict
    from lstmcast.tables.read import read_table as read_table
    from lstmcast.tuning.outcome import Tuning as Tuning

    __version__: str

# Public names by the module that they live in.
_NAMES = {
    "api.forecaster": ("Forecaster",),
    "api.functions": (
        *("backtest", "detect", "evaluate", "explain"),
        *("score", "tune", "update"),
    ),
    "monitoring.detect": ("Detector",),
    "monitoring.evidence.stream": ("EvidenceStream",),
    "api.detection": ("Detection",),
    "evaluation.result": ("Result",),
    "compute.progress": ("Event",),
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
            "ArgumentError",
            "DataError",
            "DivergedError",
            "ExitCode",
            "GateError",
            "LockedError",
            "LstmcastError",
        ),
        *("NotFittedError", "ResourceError", "RunError", "UsageError"),
    ),
    "evaluation.explain": ("Explanation",),
    "deployment.export": ("Exported", "export"),
    "panel.panel": ("Panel",),
    "tables.read": ("read_table",),
    "tuning.outcome": ("Tuning",),
    "monitoring.update": ("Update",),
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

"""Figures of other methods: classical ones measured on the same data, and published results.

Measures are named as in `benchmarks.product`. Nothing here was measured by this benchmark; each row
says whose it is.
"""

import csv
from pathlib import Path

from benchmarks.sets import DATA

Rows = dict[str, list[tuple[str, dict[str, float]]]]

_PUBLISHED: Rows = {
    "m4_hourly": [
        ("Toto-2.0", {"owa": 0.348}),
        ("FlowState", {"owa": 0.363}),
        ("TiRex", {"owa": 0.364, "wql": 0.0202}),
        ("M4, best of all entries", {"owa": 0.410}),
        ("M4, the winner (ES-RNN)", {"owa": 0.440}),
        ("M4, seasonal naive", {"smape": 13.912, "mase": 1.193, "owa": 0.627}),
        ("M4, Theta", {"smape": 18.138, "mase": 2.455, "owa": 1.006}),
        ("M4, RNN benchmark", {"smape": 14.698, "mase": 3.048, "owa": 1.036}),
        ("NeuralForecast 3.3 LSTM, 280 s", {"owa": 0.672}),
        ("NeuralForecast 3.3 NHITS, 60 s", {"owa": 0.626}),
        ("GluonTS 0.17 DeepAR, 30 s", {"owa": 0.774}),
        ("darts 0.48 BlockRNN, 60 s", {"owa": 0.813}),
        (
            "research prototype",
            {
                "smape": 8.95,
                "mase": 0.752,
                "owa": 0.400,
                "coverage": 0.78,
                "seconds": 79,
            },
        ),
    ],
    "m4_weekly": [
        ("Toto-2.0", {"owa": 0.660, "wql": 0.0361}),
        ("TiRex", {"owa": 0.686, "wql": 0.0367}),
        ("M4, best of all entries", {"owa": 0.739}),
        ("M4, the winner (ES-RNN)", {"owa": 0.851}),
        ("M4, Theta", {"smape": 9.093, "mase": 2.637, "owa": 0.971}),
        ("NeuralForecast 3.3 LSTM, 183 s", {"owa": 1.216}),
        ("NeuralForecast 3.3 NHITS, 215 s", {"owa": 0.777}),
        ("GluonTS 0.17 DeepAR, 22 s", {"owa": 1.156}),
        ("darts 0.48 BlockRNN, 60 s", {"owa": 1.93}),
        (
            "research prototype",
            {
                "smape": 6.49,
                "mase": 1.973,
                "owa": 0.710,
                "coverage": 0.82,
                "seconds": 19,
            },
        ),
    ],
    "m3_monthly": [
        ("M3, Theta", {"smape": 13.89}),
        ("NeuralForecast 3.3 NHITS, 60 s", {"mase": 0.901}),
        (
            "research prototype",
            {"smape": 13.32, "mase": 0.843, "coverage": 0.79, "seconds": 25},
        ),
    ],
    "m3_quarterly": [
        ("M3, Theta", {"smape": 8.96, "mase": 1.117}),
        (
            "research prototype",
            {"smape": 9.30, "mase": 1.112, "coverage": 0.76, "seconds": 12},
        ),
    ],
    "m3_yearly": [
        ("TimesFM-1.0", {"wql": 0.1234}),
        ("M3, Theta", {"smape": 16.97}),
        (
            "research prototype",
            {"smape": 16.34, "mase": 2.875, "coverage": 0.80, "seconds": 11},
        ),
    ],
    "m3_other": [
        ("M3, Theta", {"smape": 4.41}),
        (
            "research prototype",
            {"smape": 3.97, "mase": 1.740, "coverage": 0.78, "seconds": 13},
        ),
    ],
    "m3_all": [
        ("N-BEATS", {"smape": 12.37}),
        ("DOTM", {"smape": 12.90}),
        ("M3, Theta", {"smape": 13.01}),
        ("research prototype", {"smape": 12.62}),
    ],
    "tourism_monthly": [
        ("Chronos-2", {"wql": 0.0719}),
        ("TiRex", {"wql": 0.0749}),
        ("N-BEATS", {"mape": 19.2, "mase": 1.574}),
        ("DeepAR", {"mase": 1.409}),
        ("NeuralForecast 3.3 NHITS, 60 s", {"mase": 1.467}),
        (
            "research prototype",
            {"mape": 21.67, "mase": 1.404, "coverage": 0.86, "seconds": 32},
        ),
    ],
    "tourism_quarterly": [
        ("TiRex", {"wql": 0.0592}),
        ("N-BEATS", {"mase": 1.475}),
        (
            "research prototype",
            {"mape": 16.37, "mase": 1.492, "coverage": 0.86, "seconds": 13},
        ),
    ],
    "tourism_yearly": [
        (
            "research prototype",
            {"mape": 29.53, "mase": 2.843, "coverage": 0.75, "seconds": 10},
        )
    ],
    "m1_monthly": [
        ("Chronos-2", {"wql": 0.1184}),
        ("research prototype", {"mase": 1.021, "coverage": 0.81, "seconds": 25}),
    ],
    "m1_quarterly": [
        ("research prototype", {"mase": 1.647, "coverage": 0.69, "seconds": 13})
    ],
    "m1_yearly": [
        ("research prototype", {"mase": 3.485, "coverage": 0.56, "seconds": 10})
    ],
}
SHORT_SERIES: dict[str, dict[str, float]] = {
    "Chronos-2, 120 million parameters": {"mase": 0.802, "wql": 0.631},
    "ensemble of ARIMA, ETS, CES and DOT": {"mase": 0.803},
    "TiRex, 35 million": {"mase": 0.821, "wql": 0.652},
    "TimesFM-2.0, 500 million": {"mase": 0.852, "wql": 0.711},
    "Chronos-Bolt base, 205 million": {"mase": 0.887, "wql": 0.704},
    "TinyCast, 146,505": {"mase": 0.939, "wql": 0.780},
    "DeepAR": {"mase": 0.944},
}
"""Published errors on the eight sets of `tables.SHORT_SETS`, over those of the seasonal naive, as
geometric means."""
_NAMES = {
    "Naive": "naive",
    "SNaive": "seasonal naive",
    "SeasonalNaive": "seasonal naive",
    "ETS": "AutoETS",
    "RWD": "drift",
}


def references(name: str, data: Path = DATA) -> list[tuple[str, dict[str, float]]]:
    """Return rows (method, {measure: figure}) for a set, those measured on this data first."""
    measured = [
        *_table(data / "reference_competition.csv", name),
        *_table(data / "reference_everyday.csv", name),
    ]
    return [*measured, *_PUBLISHED.get(name, [])]


def _table(path: Path, name: str) -> list[tuple[str, dict[str, float]]]:
    if not path.exists():
        return []
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["set"].startswith(name):
                method = _NAMES.get(row["method"], row["method"])
                shown = ("sMAPE", "MASE", "MAPE", "OWA", "seconds")
                rows.append(
                    (
                        method,
                        {key.lower(): float(row[key]) for key in shown if row.get(key)},
                    )
                )
    return rows

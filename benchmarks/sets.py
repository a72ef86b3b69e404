"""The real data sets that accuracy is measured on, and how each is split.

Knows no model. The data is read where it lies (`DATA`) and is not part of the project.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("SHARED_DATA", ROOT.parent / "shared" / "data"))
STEPS_SUFFIX = "_steps"
LAST = pd.Timestamp("2015-12-27")
"""Where the histories of a competition end: its files number the steps, a user's file has dates."""


@dataclass(frozen=True)
class Competition:
    """Many short series with an official test part of one horizon.

    freq: the dates that its numbered steps are given (None keeps the numbers, for which a name may
    end in `_steps`). season: for the scale of MASE.
    naive2: sMAPE and MASE of the Naive2 forecast, for OWA. seasons: those that a simple method may
    repeat.
    """

    name: str
    folder: str
    horizon: int
    season: int
    freq: str | None
    naive2: tuple[float, float] | None = None

    @property
    def seasons(self) -> tuple[int, ...]:
        """Seasons of the calendar, in steps."""
        return CALENDAR[self.freq or ""]

    def load(self, data: Path = DATA) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Training and test part: unique_id, ds, y, by series, then time."""
        file = self.name.removesuffix(STEPS_SUFFIX)
        if file == "m4_hourly":
            frame = pd.read_parquet(
                data / "m4" / "m4_hourly_full_dated.parquet",
                columns=["unique_id", "ds", "y"],
            )
            if self.freq is None:
                frame["ds"] = frame.groupby("unique_id", sort=False).cumcount() + 1
            return split(frame, self.horizon)
        parts = [
            pd.read_parquet(data / self.folder / f"{file}_{part}.parquet")
            for part in ("train", "test")
        ]
        frame = pd.concat(parts, ignore_index=True).sort_values(
            ["unique_id", "t"], ignore_index=True
        )
        return split(dated(frame, self.horizon, self.freq), self.horizon)


@dataclass(frozen=True)
class Everyday:
    """A file as people have it, forecast from `windows` origins at its end.

    season: for the scale of MASE. freq: of its calendar, whose seasons a simple method may repeat.
    series, time, date_format: what its user would have to say. group: `everyday`; `fresh`, which
    the defaults were not chosen by; or `battery`, long series that they were developed on.
    """

    name: str
    file: str
    target: str
    horizon: int
    season: int
    windows: int
    freq: str
    series: tuple[str, ...] = ()
    time: tuple[str, ...] = ()
    date_format: str | None = None
    group: str = "everyday"

    @property
    def seasons(self) -> tuple[int, ...]:
        """Seasons of the calendar, in steps."""
        return CALENDAR[self.freq]


CALENDAR: dict[str, tuple[int, ...]] = {
    **{"30min": (48, 336), "h": (24, 168), "D": (7, 365), "W-SUN": (52,)},
    **{"MS": (12,), "QS": (4,), "YS": (), "": ()},
    "sunspots": (12, 132),  # months, and the eleven years of the sun
    "bank": (
        169,
        845,
    ),  # the minutes in fives that a bank is open, and five days of them
}
"""Steps of the seasons that the calendar of a frequency knows."""

COMPETITIONS = (
    Competition("m4_hourly", "m4", 48, 24, "h", (18.383, 2.395)),
    Competition("m4_weekly", "m4", 13, 1, "W-SUN", (9.161, 2.777)),
    Competition("m4_hourly_steps", "m4", 48, 24, None, (18.383, 2.395)),
    Competition("m4_weekly_steps", "m4", 13, 1, None, (9.161, 2.777)),
    Competition("m3_yearly", "m3", 6, 1, "YS"),
    Competition("m3_quarterly", "m3", 8, 4, "QS"),
    Competition("m3_monthly", "m3", 18, 12, "MS"),
    Competition("m3_other", "m3", 8, 1, None),
    Competition("m1_yearly", "m1", 6, 1, "YS"),
    Competition("m1_quarterly", "m1", 8, 4, "QS"),
    Competition("m1_monthly", "m1", 18, 12, "MS"),
    Competition("tourism_yearly", "tourism", 4, 1, "YS"),
    Competition("tourism_quarterly", "tourism", 8, 4, "QS"),
    Competition("tourism_monthly", "tourism", 24, 12, "MS"),
)

_PARTS = ("year", "month", "day", "hour")
_PLACE = ("Region", "State", "Purpose")
_VISITS = "everyday/website_visits_dmy_dates.csv"
_STORES = "panel/walmart_store_sales.csv"
EVERYDAY = (
    Everyday(
        "air_passengers",
        "everyday/airline-passengers.csv",
        "Passengers",
        12,
        12,
        2,
        "MS",
    ),
    Everyday("co2_monthly", "everyday/co2-concentration.csv", "CO2", 24, 12, 3, "MS"),
    Everyday(
        "sunspots_monthly",
        "everyday/monthly-sunspots.csv",
        "Sunspots",
        12,
        1,
        10,
        "sunspots",
    ),
    Everyday("retail_sales", "everyday/example_retail_sales.csv", "y", 12, 12, 3, "MS"),
    Everyday(
        "melbourne_min_temp",
        "everyday/daily-min-temperatures.csv",
        "Temp",
        14,
        1,
        10,
        "D",
    ),
    Everyday(
        "website_visits_daily", _VISITS, "users", 14, 7, 4, "D", date_format="%d/%m/%y"
    ),
    Everyday(
        "uk_daily_flights",
        "everyday/uk_daily_flights_BOM_dmy.csv",
        "Number of flights",
        14,
        7,
        6,
        "D",
    ),
    Everyday(
        "bike_sharing_hourly",
        "everyday/bike_sharing_hourly.csv",
        "users",
        24,
        24,
        20,
        "h",
        time=("date_time",),
    ),
    Everyday(
        "vic_elec_halfhourly",
        "everyday/vic_electricity.csv",
        "Demand",
        48,
        48,
        20,
        "30min",
        time=("Time",),
    ),
    Everyday(
        "stocks", "everyday/stocks.csv", "price", 6, 1, 4, "MS", series=("symbol",)
    ),
    Everyday(
        "milk_monthly",
        "everyday/monthly-milk-incomplete.csv",
        "Pounds per cow",
        12,
        12,
        3,
        "MS",
    ),
    Everyday(
        "gasoline_weekly",
        "everyday/us_gasoline_weekly.csv",
        "Gasoline",
        8,
        52,
        6,
        "W-SUN",
    ),
    Everyday("co2_weekly", "everyday/co2_weekly_missing.csv", "co2", 8, 52, 6, "W-SUN"),
    Everyday(
        "wp_log_peyton_manning", "everyday/example_wp_log_R.csv", "y", 28, 7, 6, "D"
    ),
    Everyday(
        "beijing_pm25",
        "everyday/beijing_pm25_split_date_columns.csv",
        "pm2.5",
        24,
        24,
        20,
        "h",
        time=_PARTS,
    ),
    Everyday(
        "walmart_store_sales",
        _STORES,
        "Weekly_Sales",
        8,
        52,
        3,
        "W-SUN",
        ("Store",),
        ("Date",),
        "%d-%m-%Y",
        group="fresh",
    ),
    Everyday(
        "australia_tourism",
        "panel/australia_tourism.csv",
        "Trips",
        8,
        4,
        1,
        "QS",
        series=_PLACE,
        group="fresh",
    ),
    Everyday(
        "power_prices",
        "panel/epf_short_with_exog.csv",
        "y",
        24,
        24,
        7,
        "h",
        series=("unique_id",),
        group="fresh",
    ),
    Everyday("oil_temperature", "ett/ETTh1.csv", "OT", 96, 24, 10, "h", group="fresh"),
    Everyday(
        "nyc_taxi",
        "nab/realKnownCause/nyc_taxi.csv",
        "value",
        48,
        48,
        10,
        "30min",
        group="fresh",
    ),
)
BATTERY = tuple(
    Everyday(
        name,
        f"battery/{name}.parquet",
        "y",
        horizon,
        season,
        windows,
        freq,
        series=("unique_id",),
        group="battery",
    )
    for name, horizon, season, windows, freq in (
        ("web_traffic_daily", 59, 7, 1, "D"),
        ("ausgrid_half_hourly", 96, 48, 1, "30min"),
        ("ausgrid_monthly", 12, 12, 1, "MS"),
        ("traffic_weekly", 8, 1, 1, "W-SUN"),
        ("solar_weekly", 5, 1, 1, "W-SUN"),
        ("pjm_hourly", 168, 24, 4, "h"),
        ("load_rte_hourly", 168, 24, 8, "h"),
        ("hospital_load_hourly", 168, 24, 8, "h"),
        ("solar_pv_hourly", 48, 24, 8, "h"),
        ("ercot_price_hourly", 48, 24, 8, "h"),
        ("bank_calls_5min", 169, 169, 8, "bank"),
    )
)
"""Long daily and hourly series, and seasons that no calendar has."""
SETS: dict[str, Competition | Everyday] = {
    one.name: one for one in (*COMPETITIONS, *EVERYDAY, *BATTERY)
}
GROUPS = {
    "m4": [one.name for one in COMPETITIONS if one.folder == "m4"],
    "m3": [one.name for one in COMPETITIONS if one.folder == "m3"],
    "m1": [one.name for one in COMPETITIONS if one.folder == "m1"],
    "tourism": [one.name for one in COMPETITIONS if one.folder == "tourism"],
    "everyday": [one.name for one in EVERYDAY if one.group == "everyday"],
    "fresh": [one.name for one in EVERYDAY if one.group == "fresh"],
    "battery": [one.name for one in BATTERY],
}


def dated(frame: pd.DataFrame, horizon: int, freq: str | None) -> pd.DataFrame:
    """Turn step numbers `t` into stamps `ds`, so that all training parts end at the same one."""
    if freq is None:
        return frame.rename(columns={"t": "ds"})[["unique_id", "ds", "y"]]
    end = frame.groupby("unique_id")["t"].transform("max")
    back = (end - frame["t"]).to_numpy()
    stamps = pd.date_range(end=LAST, periods=int(back.max()) + 1 - horizon, freq=freq)
    stamps = stamps.union(pd.date_range(stamps[-1], periods=horizon + 1, freq=freq))
    return pd.DataFrame(
        {
            "unique_id": frame["unique_id"],
            "ds": stamps[len(stamps) - 1 - back],
            "y": frame["y"],
        }
    )


def split(frame: pd.DataFrame, horizon: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split off the last `horizon` rows of every series of a frame sorted by series and time."""
    left = frame.groupby("unique_id", sort=False).cumcount(ascending=False).to_numpy()
    return frame[left >= horizon].reset_index(drop=True), frame[
        left < horizon
    ].reset_index(drop=True)


def select(names: list[str]) -> list[str]:
    """Sets by their own names or by group, each once, in the order of `SETS`; all for no name.

    Raises:
        ValueError: a name is neither.
    """
    for name in names:
        if name not in SETS and name not in GROUPS:
            raise ValueError(
                f"no set or group {name!r}; there is {', '.join([*GROUPS, *SETS])}"
            )
    wanted = {one for name in names for one in GROUPS.get(name, [name])}
    return [name for name in SETS if name in wanted or not names]


def flat(frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Values of a frame sorted by series, and where each series begins: [sum T] and [N+1]."""
    lengths = frame.groupby("unique_id", sort=False).size().to_numpy()
    return frame["y"].to_numpy(np.float64), np.concatenate([[0], np.cumsum(lengths)])

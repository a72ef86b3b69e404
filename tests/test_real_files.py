"""Real files as they lie: which frequency their times have, and which options an error asks for."""

from typing import Any, NamedTuple

import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from tests.conftest import SHARED_DATA, shared_file


class Expected(NamedTuple):
    """Frequency, series and steps of a file, and the time that follows the first series."""

    freq: str
    series: int
    steps: int
    following: str


EVERYDAY = {
    ("air_passengers_prophet_CR_lineends", "y"): Expected("MS", 1, 144, "1961-01-01"),
    ("airline-passengers", "Passengers"): Expected("MS", 1, 144, "1961-01"),
    ("beijing_pm25_split_date_columns", "pm2.5"): Expected(
        "h", 1, 43800, "2015-01-01 00:00"
    ),
    ("bike_sharing_hourly", "users"): Expected("h", 1, 17544, "2013-01-01 00:00:00"),
    ("co2-concentration", "CO2"): Expected("MS", 1, 746, "2020-05-01"),
    ("co2_weekly_missing", "co2"): Expected("W-SAT", 1, 2284, "20020105"),
    ("daily-min-temperatures", "Temp"): Expected("D", 1, 3652, "1991-01-01"),
    ("example_retail_sales", "y"): Expected("MS", 1, 293, "2016-06-01"),
    ("example_wp_log_R", "y"): Expected("D", 1, 2922, "2016-01-01"),
    ("example_yosemite_temps", "y"): Expected("5min", 1, 18721, "2017-07-05 00:05:00"),
    ("monthly-milk-incomplete", "Pounds per cow"): Expected("MS", 1, 168, "1976-01"),
    ("monthly-sunspots", "Sunspots"): Expected("MS", 1, 2820, "1984-01"),
    ("shampoo_bad_dates", "Sales"): Expected("MS", 1, 36, "4-01"),
    ("taylor_halfhourly_noheader_dates", "Y"): Expected("1", 1, 4032, "4033"),
    ("uk_daily_flights_BOM_dmy", "Number of flights"): Expected(
        "D", 1, 1118, "24/01/2022"
    ),
    ("us_gasoline_weekly", "Gasoline"): Expected("W-FRI", 1, 1578, "05/7/2021"),
    ("website_visits_dmy_dates", "users"): Expected("D", 1, 421, "26/8/21"),
}
PANELS = {
    ("everyday/stocks", "price", "symbol"): Expected("MS", 5, 560, "Apr 1 2010"),
    ("panel/australia_tourism", "Trips", "Region", "State", "Purpose"): Expected(
        "QS", 304, 24320, "2018-01-01"
    ),
    ("panel/epf_short_future_exog", "Exogenous1", "unique_id"): Expected(
        "h", 4, 96, "2017-01-01 00:00:00"
    ),
    ("panel/epf_short_with_exog", "y", "unique_id"): Expected(
        "h", 4, 6720, "2016-12-31 00:00:00"
    ),
    ("panel/walmart_store_sales", "Weekly_Sales", "Store"): Expected(
        "W-FRI", 45, 6435, "02-11-2012"
    ),
    ("ett/ETTh1", "OT"): Expected("h", 1, 17420, "2018-06-26 20:00:00"),
    ("events/rain_yesno", "rain", "location"): Expected("D", 2, 2922, "2016-01-01"),
}
MANGLED = [{}, {"duplicates": "first"}, {"resample": "5min:mean"}]
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "nab/realAWSCloudwatch/ec2_disk_write_bytes_1ef3de": [
        {},
        {"duplicates": "first"},
        {"duplicates": "first", "snap": True},
    ],
    "nab/realAWSCloudwatch/ec2_network_in_5abac7": MANGLED,
    "nab/realKnownCause/ec2_request_latency_system_failure": MANGLED,
    "nab/realKnownCause/machine_temperature_system_failure": [
        {},
        {"duplicates": "first"},
    ],
}
"""Options of machines' files that need some, one after the other: each error hints at the next."""
FREQUENCIES = {"nyc_taxi": "30min", "ambient_temperature_system_failure": "h"}
NAB = sorted(
    path.relative_to(SHARED_DATA).as_posix()[:-4]
    for path in SHARED_DATA.glob("nab/*/*.csv")
) or [*OPTIONS]


def read(
    name: str, target: str, *series: str, time: tuple[str, ...] = (), **options: Any
) -> Panel:
    config = DataConfig(**options)
    return Panel.from_table(
        read_table(shared_file(f"{name}.csv"), config),
        Columns((target,), time, series),
        config,
    )


def summary(panel: Panel) -> Expected:
    following = panel.axis.texts(panel.start + panel.lengths)[0]
    return Expected(panel.axis.freq, len(panel), int(panel.offsets[-1]), following)


@pytest.mark.parametrize("file", EVERYDAY, ids=lambda file: file[0])
def test_everyday_files_are_read_without_options(file: tuple[str, str]) -> None:
    assert summary(read(f"everyday/{file[0]}", file[1])) == EVERYDAY[file]


@pytest.mark.parametrize("file", PANELS, ids=lambda file: file[0])
def test_panels_are_read_with_their_series_named(file: tuple[str, ...]) -> None:
    assert summary(read(*file)) == PANELS[file]


def test_two_columns_of_times_ask_for_one() -> None:
    with pytest.raises(
        DataError, match="several columns could be the time: 'Time', 'Date'"
    ):
        read("everyday/vic_electricity", "Demand")
    panel = read("everyday/vic_electricity", "Demand", time=("Time",))
    assert summary(panel) == Expected("30min", 1, 52608, "2014-12-31T13:00:00Z")
    local = read(
        "everyday/vic_electricity", "Demand", time=("Time",), tz="Australia/Melbourne"
    )
    assert summary(local) == summary(panel)


@pytest.mark.parametrize("name", NAB)
def test_machines_files_are_read_with_the_options_that_an_error_hints_at(
    name: str,
) -> None:
    *refused, accepted = OPTIONS.get(name, [{}])
    for options, following in zip(refused, [*refused[1:], accepted], strict=False):
        with pytest.raises(DataError) as caught:
            read(name, "value", **options)
        new = following.keys() - options.keys()
        assert all(f"--{option}" in caught.value.hint for option in new)
    usual = FREQUENCIES.get(name.rpartition("/")[2], "5min")
    expected = accepted.get("resample", usual).partition(":")[0]
    assert read(name, "value", **accepted).axis.freq == expected

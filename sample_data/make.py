"""Make the sample files: `python sample_data/make.py [FOLDER] [--from WHEEL]`.

`price.csv` and `shop.csv` are invented, from a fixed seed: the same bytes on every machine.
`co2.csv` and `sunspots.csv` are measurements in the public domain; they are written only with
`--from`, which takes the wheel of statsmodels (`pip download --no-deps statsmodels`), where both
are shipped.
"""

import argparse
import csv
import io
import math
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

FIRST, LAST = date(2023, 1, 1), date(2024, 12, 31)
PLANNED_DAYS = 14
HOLIDAYS = {
    *(
        date(year, month, day)
        for year in (2023, 2024, 2025)
        for month, day in ((1, 1), (5, 1), (12, 25), (12, 26))
    ),
    date(2023, 4, 10),
    date(2024, 4, 1),
}

Row = Sequence[Any]

# name, region, mean items a day, share of the week's sales from Monday to Sunday, price at the
# start, first day open
SHOPS: Sequence[Row] = (
    ("airport", "south", 95, (1.05, 0.95, 0.9, 1.0, 1.25, 0.95, 0.9), 5.2, FIRST),
    ("harbour", "north", 60, (0.8, 0.8, 0.85, 0.9, 1.1, 1.35, 1.2), 4.4, FIRST),
    ("old town", "north", 45, (0.75, 0.8, 0.9, 0.95, 1.15, 1.5, 0.95), 4.6, FIRST),
    ("station", "south", 130, (1.15, 1.1, 1.1, 1.15, 1.2, 0.75, 0.55), 4.2, FIRST),
    (
        "university",
        "south",
        35,
        (1.25, 1.3, 1.25, 1.2, 1.05, 0.5, 0.45),
        3.9,
        date(2023, 9, 18),
    ),
)


def days(first: date, last: date) -> Iterator[date]:
    """Every day from `first` to `last`, both included."""
    return (first + timedelta(n) for n in range((last - first).days + 1))


def yearly(day: date, peak: int) -> float:
    """A wave of one year between -1 and 1, highest at day `peak` of the year."""
    return math.cos(2 * math.pi * (day.timetuple().tm_yday - peak) / 365.25)


def price_rows() -> Iterator[Row]:
    """A daily price: high on working days and in winter, wandering, noisy; rarely a spike."""
    random = Random(1)
    workday = (3.0, 4.5, 4.0, 3.5, 2.0, -7.0, -10.0)
    level, noise = 62.0, 0.0
    yield "date", "price"
    for day in days(FIRST, LAST):
        level += random.gauss(0, 0.5) + 0.01 * (62 - level)
        noise = 0.6 * noise + random.gauss(0, 3.5)
        spike = random.uniform(15, 40) if random.random() < 0.008 else 0
        week = workday[day.weekday()] if day not in HOLIDAYS else workday[-1]
        yield day, f"{level + 11 * yearly(day, 20) + week + noise + spike:.2f}"


def shop_rows() -> Iterator[Row]:
    """Daily sales of five shops; of the two weeks after, only what the shops plan. Header first."""
    yield (
        "date",
        "shop",
        "region",
        "sold",
        "price",
        "promotion",
        "holiday",
        "temperature",
    )
    for seed, (name, region, *habits) in enumerate(SHOPS):
        for day, sold, temperature, *plan in one_shop(Random(100 + seed), *habits):
            yield (
                day,
                name,
                region,
                sold if day <= LAST else "",
                *plan,
                temperature if day <= LAST else "",
            )


def one_shop(
    random: Random, mean: float, week: Sequence[float], base: float, opened: date
) -> Iterator[Row]:
    """Days of one shop: items sold, temperature, and its plan: price, promotion, holiday."""
    promotion, drift, weather = False, 0.0, 0.0
    for day in days(opened, LAST + timedelta(PLANNED_DAYS)):
        if day.weekday() == 0:
            promotion = random.random() < 0.15
        usual = base * 1.03 ** (2 * (day.year - FIRST.year) + (day.month > 6))
        price = round(usual * (0.8 if promotion else 1.0), 2)
        weather = 0.8 * weather + random.gauss(0, 1.8)
        temperature = 10 - 9 * yearly(day, 20) + weather
        drift = 0.97 * drift + random.gauss(0, 0.02)
        demand = (
            mean
            * week[day.weekday()]
            * math.exp(drift + 0.1 * yearly(day, 345) - 0.006 * weather)
        )
        demand *= (usual / price) ** 1.6 * (0.35 if day in HOLIDAYS else 1.0)
        demand *= 1.2 if day + timedelta(1) in HOLIDAYS else 1.0
        sold = max(0, round(random.gauss(demand, math.sqrt(1.5 * demand))))
        yield (
            day,
            sold,
            f"{temperature:.1f}",
            f"{price:.2f}",
            int(promotion),
            int(day in HOLIDAYS),
        )


def co2_rows(wheel: zipfile.ZipFile) -> Iterator[Row]:
    """Monthly means of the weekly CO2 measurements, from 1965: before, whole months are missing."""
    months: dict[date, list[float]] = defaultdict(list)
    for row in csv.DictReader(
        io.StringIO(wheel.read("statsmodels/datasets/co2/co2.csv").decode())
    ):
        day, value = row["date"], row["co2"]
        if value and day >= "1965":
            months[date(int(day[:4]), int(day[4:6]), 1)].append(float(value))
    yield "month", "co2"
    for month, values in sorted(months.items()):
        yield month, f"{sum(values) / len(values):.2f}"


def sunspot_rows(wheel: zipfile.ZipFile) -> Iterator[Row]:
    """Yearly sunspot numbers since 1700."""
    yield "year", "sunspots"
    for row in csv.DictReader(
        io.StringIO(wheel.read("statsmodels/datasets/sunspots/sunspots.csv").decode())
    ):
        yield row["YEAR"], row["SUNACTIVITY"]


def write(path: Path, rows: Iterable[Row]) -> None:
    """Write `rows` as comma-separated UTF-8 with line feeds."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def main() -> None:
    """Write the files that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make the sample files.")
    parser.add_argument("folder", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument(
        "--from",
        dest="wheel",
        type=Path,
        help="wheel of statsmodels, for the two measured series",
    )
    options = parser.parse_args()
    write(options.folder / "price.csv", price_rows())
    write(options.folder / "shop.csv", shop_rows())
    if options.wheel:
        with zipfile.ZipFile(options.wheel) as wheel:
            write(options.folder / "co2.csv", co2_rows(wheel))
            write(options.folder / "sunspots.csv", sunspot_rows(wheel))


if __name__ == "__main__":
    main()

"""Which layouts a text may follow: listed ones, periods taken apart, names in other languages."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from lstmcast.timeaxis.formats import format_timestamps, parse_timestamps
from lstmcast.timeaxis.layouts import (
    DATE_FORMATS,
    TIMESTAMP_FORMATS,
    has_day,
    is_short_period,
    match_formats,
)


@pytest.mark.parametrize(
    ("text", "layout", "day"),
    [
        ("dez-20", "pt:%b-%y", "2020-12-01"),
        ("5 de marzo de 2024", "es:%d de %b de %Y", "2024-03-05"),
        ("2024年3月", "%Y年%m月", "2024-03-01"),
        ("mar. 5 mars 2024", "fr:%a %d %b %Y", "2024-03-05"),
        ("segunda-feira, 2 de março de 2020", "pt:%a, %d de %b de %Y", "2020-03-02"),
        ("5 Mayıs 2024 12:30", "tr:%d %b %Y %H:%M", "2024-05-05"),
        ("FY08Q1", "FY%yQ%q", "2008-01-01"),
        ("KW05/2021", "KW%V/%G", "2021-02-01"),
        ("H2 2008", "H%h %Y", "2008-07-01"),
        ("EW05 2021", "EW%U %E", "2021-01-31"),
        ("Wed Jan  1 00:00:00 EST 2020", "%a %b %_d %H:%M:%S %Z %Y", "2020-01-01"),
        ("10/13/2019 18.00.00", "%m/%d/%Y %H.%M.%S", "2019-10-13"),
    ],
)
def test_a_text_is_read_by_its_layout_and_written_so_again(
    text: str, layout: str, day: str
) -> None:
    assert layout in match_formats(text)
    parsed = parse_timestamps(layout, pa.array([text]))
    assert parsed.good.all()
    assert str(parsed.instants.view("M8[us]")[0])[:10] == day
    assert format_timestamps(parsed.layout, parsed.instants, parsed.offsets) == [text]


@pytest.mark.parametrize(
    "text",
    ["INV-00013", "store_12", "yesterday", "", "x" * 200 + "2020", "10:30", "K12"],
)
def test_what_is_no_date_follows_no_layout(text: str) -> None:
    assert match_formats(text) == []


def test_days_and_short_periods_are_told_from_others() -> None:
    assert has_day("%a %b %_d %Y")
    assert not has_day("%Y-%m")
    assert is_short_period("Q%q-%y")
    assert not is_short_period("Q%q-%Y")


PANDAS_READS = [
    layout
    for layout in (*DATE_FORMATS, *TIMESTAMP_FORMATS)
    if not any(code in layout for code in ("%q", "%-z", "%_d", "%N", "%V"))
] + ["%Y-%m-%d %H:%M:%S", "%d.%m.%Y %H.%M.%S", "%a, %d %b %Y %H:%M:%S +0000"]


@pytest.mark.parametrize("layout", PANDAS_READS)
def test_what_pandas_can_read_too_is_the_same(layout: str) -> None:
    instants = pd.date_range("2001-01-31 01:02:03", periods=50, freq="37D")
    texts = list(instants.strftime(layout))
    theirs = pd.to_datetime(texts, format=layout)
    if theirs.tz is not None:
        theirs = theirs.tz_localize(None)
    ours = parse_timestamps(layout, pa.array(texts))
    assert ours.good.all()
    assert (
        ours.universal().view("M8[us]").tolist()
        == np.asarray(theirs, "M8[us]").tolist()
    )

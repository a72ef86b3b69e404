"""Names of columns that mean a time or a part of one."""

import pytest

from lstmcast.ingest.timetext.column_names import (
    directive_of_part,
    is_clock_name,
    is_hour_ending_name,
    is_likely_time_name,
    is_sure_time_name,
    period_of_name,
)


@pytest.mark.parametrize(
    ("name", "directive"),
    [
        *[("Year", "Y"), ("ano", "Y"), ("Jahr", "Y"), ("mês", "m"), ("Monat", "m")],
        *[
            ("weekofyear", "V"),
            ("KW", "V"),
            ("semana", "V"),
            ("iso_week", "V"),
            ("wk", "V"),
        ],
        *[
            ("epiweek", "U"),
            ("mmwr_week", "U"),
            ("doy", "j"),
            ("HE", "k"),
            ("hora", "H"),
        ],
        *[("trimestre", "q"), ("price", ""), ("weekend", ""), ("yearly", "")],
    ],
)
def test_a_part_of_a_date_is_known_by_its_name(name: str, directive: str) -> None:
    assert directive_of_part(name) == directive


def test_names_of_times_are_sure_or_likely() -> None:
    assert is_sure_time_name("Date")
    assert is_sure_time_name("fecha")
    assert not is_sure_time_name("mes")
    assert is_likely_time_name("mes")
    assert is_likely_time_name("yearweek")
    assert not is_likely_time_name("price")
    assert is_clock_name("Uhrzeit")
    assert is_hour_ending_name("Hour Ending")
    assert period_of_name("yyyyww") == "V"
    assert period_of_name("year_quarter") == "q"
    assert period_of_name("date") == ""

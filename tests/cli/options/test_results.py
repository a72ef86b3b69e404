from pathlib import Path

import pytest

from lstmcast.cli.options.results import (
    QuantileOptions,
    find_run_and_data,
    parse_interval_levels,
)
from lstmcast.errors import UsageError


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("80", (0.1, 0.5, 0.9)),
        ("80,95", (0.025, 0.1, 0.5, 0.9, 0.975)),
        ("95 %, 80%", (0.025, 0.1, 0.5, 0.9, 0.975)),
        ("99.9", (0.0005, 0.5, 0.9995)),
    ],
)
def test_a_central_interval_lies_between_two_quantiles(
    text: str, levels: tuple[float, ...]
) -> None:
    assert parse_interval_levels(text) == levels


@pytest.mark.parametrize("text", ["0.8", "100", "-80", "wide", "", "80,,95", "nan"])
def test_what_is_no_percentage_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="level=.* is out of range"):
        parse_interval_levels(text)


def test_quantiles_are_given_in_one_way() -> None:
    assert QuantileOptions().levels() == (0.1, 0.5, 0.9)
    assert QuantileOptions("0.5,0.2").levels() == (0.2, 0.5)
    assert QuantileOptions(level="50").levels() == (0.25, 0.5, 0.75)
    with pytest.raises(UsageError, match="both say which quantiles"):
        QuantileOptions("0.5", "80").levels()


def test_a_probability_has_no_quantiles() -> None:
    QuantileOptions().refuse_for_probability()
    QuantileOptions("0.1,0.5,0.9").refuse_for_probability()
    with pytest.raises(UsageError, match="quantiles=0.2: a probability has none"):
        QuantileOptions("0.2").refuse_for_probability()
    with pytest.raises(UsageError, match="level=95: a probability has none"):
        QuantileOptions(level="95").refuse_for_probability()


def test_a_single_argument_is_data_and_the_first_of_two_a_run(tmp_path: Path) -> None:
    assert find_run_and_data("detect", "x.csv", None) == (None, "x.csv")
    assert find_run_and_data("detect", "run", "x.csv") == ("run", "x.csv")
    with pytest.raises(UsageError, match="missing argument 'DATA'"):
        find_run_and_data("detect", None, None)
    (tmp_path / "run.json").write_text("{}")
    with pytest.raises(UsageError, match="is a run, and DATA is missing"):
        find_run_and_data("detect", str(tmp_path), None)

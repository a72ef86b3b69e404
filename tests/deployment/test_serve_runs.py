"""Which runs a server answers for, and what it says of each."""

from pathlib import Path

import pytest

from lstmcast.deployment.serve_requests import ForecastRequest
from lstmcast.deployment.serve_runs import (
    ServedRun,
    forecast_columns,
    name_run,
    require_different_names,
)
from lstmcast.errors import UsageError
from lstmcast.forecasting.predictor import Predictor
from tests.deployment.test_serve import months, predictor_of


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return predictor_of(months(60))


@pytest.mark.parametrize(
    ("path", "name", "address"),
    [
        ("runs/price", "price", "runs/price"),
        ("runs/price/", "price", "runs/price"),
        ("runs/../a b", "a b", "runs/a%20b"),
        ("50% off?", "50% off?", "runs/50%25%20off%3F"),
        ("Z\u00fcrich", "Z\u00fcrich", "runs/Z%C3%BCrich"),
        ("\udcff", "?", "runs/%3F"),
    ],
)
def test_a_run_is_called_by_its_folder(
    path: str, name: str, address: str, predictor: Predictor
) -> None:
    run = ServedRun(path, predictor)
    assert (run.name, run.address) == (name, address)


def test_the_folder_that_one_is_in_has_a_name_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert name_run(".") == tmp_path.name


def test_two_runs_of_one_name_are_refused() -> None:
    require_different_names(["a/price", "a/shop"])
    with pytest.raises(UsageError, match="2 runs would be served as /runs/price"):
        require_different_names(["a/price", "shop", "b/price"])


def test_a_run_says_until_when_its_data_go_and_a_newer_version_takes_its_place(
    predictor: Predictor,
) -> None:
    newer = [None, predictor_of(months(66))]
    run = ServedRun("runs/price", predictor, lambda: newer.pop(0) if newer else None)
    assert run.describe()["trained_until"] == "2014-12"
    assert run.describe()["trained_until"] == "2015-06"
    assert run.take_newest() is run.predictor


def test_a_run_too_short_for_a_verdict_has_none() -> None:
    described = ServedRun("short", predictor_of(months(8))).describe()
    assert (described["beats_baseline"], described["verdict"]) == (None, [])


def test_columns_are_those_of_the_forecaster(predictor: Predictor) -> None:
    columns, notes = forecast_columns(predictor, ForecastRequest(horizon=2))
    assert list(columns["month"]) == ["2015-01", "2015-02"]
    assert notes == []

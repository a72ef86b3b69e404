"""What a request asks for; `test_serve` has the errors that refuse one."""

import json
from typing import Any

import pytest

from lstmcast.config import DEFAULT_QUANTILE_LEVELS, DataConfig
from lstmcast.deployment.serve_requests import (
    ForecastRequest,
    parse_request,
    to_request_hint,
)
from lstmcast.errors import DataError, UsageError
from tests.cli.test_command import OPTION, hints

ROWS_HINT = "send rows that are written as the run's training data were"
ROWS = [{"day": "2024-01-01", "y": 1.0}, {"day": "2024-01-02", "y": 2.0}]


def parse(
    body: bytes,
    kind: str = "",
    horizon: int | None = None,
    quantiles: str | None = None,
) -> ForecastRequest:
    return parse_request(body, kind, horizon, quantiles, DataConfig(), 1000)


def test_an_empty_request_asks_for_the_defaults_of_the_run() -> None:
    assert parse(b"") == ForecastRequest(None, DEFAULT_QUANTILE_LEVELS, None)
    assert parse(b" \n") == ForecastRequest()
    assert parse(b"", "application/json") == ForecastRequest()


def test_the_address_goes_before_the_object() -> None:
    body = json.dumps({"horizon": 2, "quantiles": [0.9, 0.5]}).encode()
    assert parse(body) == ForecastRequest(2, (0.5, 0.9))
    assert parse(body, horizon=5, quantiles="0.25") == ForecastRequest(5, (0.25,))


@pytest.mark.parametrize("content", [ROWS, {"rows": ROWS}], ids=["a list", "an object"])
def test_rows_become_a_table_by_the_names_of_their_columns(content: Any) -> None:
    table = parse(json.dumps(content).encode()).table
    assert table.names == ["day", "y"] and len(table) == 2


def test_what_is_not_json_is_read_as_a_file_would_be() -> None:
    table = parse(b"day;y\n2024-01-01;1,5\n2024-01-02;2,5\n").table
    assert table.names == ["day", "y"] and len(table) == 2


def test_a_body_that_says_it_is_json_is_read_as_json() -> None:
    with pytest.raises(DataError, match="not valid JSON"):
        parse(b"day,y\n2024-01-01,1\n", "application/json; charset=utf-8")


@pytest.mark.parametrize("horizon", [0, -1, 1.5, True, "3", 10_001])
def test_a_horizon_that_is_no_number_of_steps_is_refused(horizon: Any) -> None:
    with pytest.raises(UsageError, match="horizon .* is out of range"):
        parse(json.dumps({"horizon": horizon}).encode())


def test_rows_hold_no_lists_and_no_objects() -> None:
    with pytest.raises(DataError, match="not a list of objects"):
        parse(json.dumps([{"day": "2024-01-01", "y": {"value": 1}}]).encode())


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        ("give --horizon 1 or more", "give horizon 1 or more"),
        ("leave --quantiles out", "leave quantiles out"),
        ("send the newest rows only", "send the newest rows only"),
        ("correct it, or say what is missing with --na N/A", "correct it"),
        ("say what to do with --duplicates first", ROWS_HINT),
        ("sed 2d x.csv | lstmcast predict RUN -", ROWS_HINT),
        ("", ""),
    ],
)
def test_a_hint_names_what_a_client_can_do(hint: str, shown: str) -> None:
    assert to_request_hint(hint) == shown


def test_no_hint_of_the_package_names_an_option_to_a_client() -> None:
    found = [hint for _, hint in hints()]
    assert len(found) > 50
    assert [hint for hint in found if OPTION.search(to_request_hint(hint))] == []

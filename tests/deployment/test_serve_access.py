"""The token of a served run, and the version that answers after an update."""

import base64
from pathlib import Path
from typing import Any

import pytest

from lstmcast.deployment import serve_access
from lstmcast.deployment.serve_access import NewerVersions, has_token, read_token
from lstmcast.errors import UsageError
from lstmcast.forecasting.predictor import Predictor
from tests.deployment.test_serve import client_of, months, predictor_of

TOKEN = "0123456789abcdef"


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("header", "right"),
    [
        (f"Bearer {TOKEN}", True),
        (f"bearer {TOKEN}", True),
        (basic(TOKEN), True),
        (f"Bearer {TOKEN}x", False),
        ("Bearer ", False),
        (basic("wrong"), False),
        ("Basic ?", False),
        (TOKEN, False),
        ("", False),
        ("Bearer \u00e9", False),
    ],
)
def test_only_the_token_opens(header: str, right: bool) -> None:
    assert has_token(header, TOKEN) is right


def test_every_path_asks_for_the_token() -> None:
    with client_of(predictor_of(months(60)), token=TOKEN) as client:
        paths = ("forecast", "health", "metrics", "openapi.json", "nowhere", "", "runs")
        for path in paths:
            answer = client.get(f"/{path}")
            assert (answer.status_code, answer.json()["code"]) == (401, 2)
            assert answer.headers["www-authenticate"].startswith("Basic")
        headers = {"authorization": f"Bearer {TOKEN}"}
        assert client.get("/forecast", headers=headers).status_code == 200


@pytest.mark.parametrize("text", [None, "", "short", "\u00e9" * 40])
def test_a_file_without_a_token_is_refused(text: str | None, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / "token").write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match="token.file"):
        read_token(str(tmp_path / "token"))
    (tmp_path / "token").write_text(f"{TOKEN}  \nmore")
    assert read_token(str(tmp_path / "token")) == TOKEN


def test_a_run_that_is_replaced_answers_without_a_restart(tmp_path: Path) -> None:
    run = tmp_path / "run"
    predictor_of(months(60)).save(run)
    said: list[str] = []
    versions = NewerVersions(str(run), said.append)
    with client_of(Predictor.load(run), find_newer=versions.find) as client:

        def first_month() -> Any:
            return client.get("/forecast").json()["forecast"][0]["month"]

        assert first_month() == "2015-01"
        predictor_of(months(66)).save(run, force=True)
        assert first_month() == "2015-07"
        assert client.get("/health").json()["trained_until"] == "2015-06"
    assert said == [f"took the new version of {str(run)!r}, trained until 2015-06"]


def test_a_version_that_cannot_be_loaded_is_said_once_and_the_old_one_goes_on(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    predictor_of(months(60)).save(run)
    said: list[str] = []
    versions = NewerVersions(str(run), said.append)
    (run / serve_access.MANIFEST_FILE).write_text("{}")
    assert versions.find() is None
    assert versions.find() is None
    assert len(said) == 1 and "cannot be used" in said[0]
    (run / serve_access.MANIFEST_FILE).unlink()
    assert versions.find() is None

"""The app in process; the program that runs it is in tests/cli/test_serve.py."""

import gzip
import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from lstmcast import Config, Forecaster, Panel, TrainConfig
from lstmcast.cli.show import output
from lstmcast.cli.show.served_page import make_served_page
from lstmcast.deployment import serve
from lstmcast.deployment.serve_runs import ServedRun
from lstmcast.deployment.serve_server import LOOPBACK_HOSTS
from lstmcast.forecasting.predictor import Predictor

LIMIT = 20_000
WRITER = serve.AnswerWriter(
    output.to_records,
    lambda columns: output.encode_table(columns, "csv"),
    make_served_page,
)


def months(length: int) -> pd.DataFrame:
    t = np.arange(length)
    stamps = [f"{2010 + i // 12}-{i % 12 + 1:02}" for i in range(length)]
    return pd.DataFrame(
        {"month": stamps, "price": 100 + t + 30 * np.sin(t * np.pi / 6)}
    )


def predictor_of(frame: pd.DataFrame, **roles: Any) -> Predictor:
    config = Config(train=TrainConfig(steps=0))
    return Forecaster(config).fit(
        Panel.from_frame(frame, target="price", time="month", **roles)
    )


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return predictor_of(months(60))


def client_of(predictor: Predictor, **options: Any) -> TestClient:
    runs = [ServedRun("runs/price", predictor, options.pop("find_newer", None))]
    return client_of_runs(runs, **options)


def client_of_runs(runs: list[ServedRun], **options: Any) -> TestClient:
    app = serve.create_app(runs, WRITER, **{"limit": LIMIT, **options})
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@pytest.fixture
def client(predictor: Predictor) -> Iterator[TestClient]:
    with client_of(predictor, hosts=LOOPBACK_HOSTS) as client:
        yield client


def table_of(predictor: Predictor, **options: Any) -> str:
    return output.encode_table(predictor.columns(**options), "csv").decode()


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_without_rows_the_forecast_goes_on_from_the_end_of_the_training(
    method: str, client: TestClient, predictor: Predictor
) -> None:
    answer = client.request(
        method, "/forecast", params={"horizon": 3, "quantiles": "0.9,0.5,0.05"}
    )
    assert answer.status_code == 200
    content = answer.json()
    expected = predictor.predict(horizon=3, quantiles=(0.05, 0.5, 0.9))
    assert (content["schema_version"], content["run"], content["notes"]) == (
        1,
        "runs/price",
        [],
    )
    assert content["forecast"] == output.to_records(expected)
    assert list(content["forecast"][0]) == ["month", "forecast", "q5", "q50", "q90"]


def rows_in(form: str, frame: pd.DataFrame) -> dict[str, Any]:
    rows = frame.to_dict("records")
    return {
        "csv": {
            "content": frame.to_csv(index=False),
            "headers": {"content-type": "text/csv"},
        },
        "gzip": {"content": gzip.compress(frame.to_csv(index=False).encode())},
        "object": {"json": {"rows": rows}},
        "list": {"json": rows},
    }[form]


@pytest.mark.parametrize("form", ["csv", "gzip", "object", "list"])
def test_with_rows_it_goes_on_from_the_last_of_them(
    form: str, client: TestClient, predictor: Predictor
) -> None:
    newer = months(72)
    answer = client.post("/forecast", **rows_in(form, newer))
    assert answer.status_code == 200
    expected = predictor.predict(Panel.from_frame(newer, like=predictor.panel))
    assert answer.json()["forecast"] == output.to_records(expected)


def test_new_rows_without_their_past_have_the_history_of_the_run_before_them(
    client: TestClient, predictor: Predictor
) -> None:
    content = client.post(
        "/forecast", json={"rows": months(63).tail(3).to_dict("records"), "horizon": 1}
    ).json()
    whole = predictor.predict(
        Panel.from_frame(months(63), like=predictor.panel), horizon=1
    )
    assert content["forecast"][0]["month"] == "2015-04"
    assert content["forecast"][0]["forecast"] == pytest.approx(whole["forecast"][0])
    assert "the run's own past goes before" in content["notes"][0]


def test_a_client_that_accepts_csv_gets_what_the_command_line_prints(
    client: TestClient, predictor: Predictor
) -> None:
    answer = client.get("/forecast", headers={"accept": "text/csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text == table_of(predictor)


def test_the_address_overrules_horizon_and_quantiles_of_the_object(
    client: TestClient,
) -> None:
    body = {"horizon": 2, "quantiles": [0.3]}
    assert list(client.post("/forecast", json=body).json()["forecast"][0]) == [
        "month",
        "forecast",
        "q30",
    ]
    assert (
        len(
            client.post("/forecast", json=body, params={"horizon": 5}).json()[
                "forecast"
            ]
        )
        == 5
    )


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"params": {"horizon": 0}}, 400, "horizon 0 is out of range"),
        ({"params": {"horizon": 10**9}}, 400, "horizon 1000000000 is out of range"),
        ({"params": {"horizon": "x"}}, 400, "horizon: input should be a valid integer"),
        ({"params": {"quantiles": "0.1,2"}}, 400, "quantiles '0.1,2' is out of range"),
        ({"json": {"quantiles": ["a"]}}, 400, "quantiles is not a list of numbers"),
        ({"json": {"horizon": True}}, 400, "horizon True is out of range"),
        ({"json": {"hroizon": 3}}, 400, "keys other than rows, horizon and quantiles"),
        ({"content": b"{rows"}, 422, "request: not valid JSON"),
        ({"content": b"[" * 9000}, 422, "request: not valid JSON"),
        ({"json": {"rows": []}}, 422, "rows is not a list of objects"),
        (
            {"json": [{"month": "2015-01", "price": [1]}]},
            422,
            "rows is not a list of objects",
        ),
        (
            {"json": [{"month": "2015-01", "prise": 1}]},
            422,
            "request has no column 'price'",
        ),
        (
            {"json": [{"month": "2015-13", "price": 1}]},
            422,
            "request row 0: column 'month': '2015-13' is not a date",
        ),
        (
            {"json": [{"month": "2015-01", "price": "dear"}]},
            422,
            "column 'price' holds text, but held numbers",
        ),
        (
            {"content": b"month,price\n2015-01,1,2\n"},
            422,
            "request:2: 3 values where the header names 2 columns",
        ),
        (
            {"content": b"PK\x03\x04zip"},
            422,
            "request is a zip archive, and no workbook",
        ),
    ],
)
def test_a_bad_request_gets_the_error_that_the_command_line_prints(
    sent: dict[str, Any], status: int, message: str, client: TestClient
) -> None:
    answer = client.post("/forecast", **sent)
    content = answer.json()
    assert answer.status_code == status, content
    assert set(content) == {"code", "kind", "message", "hint"}
    assert message in content["message"] and content["hint"]
    assert content["code"] in (2, 3, 4)


def test_a_request_that_is_too_large_is_refused_whether_it_says_so_or_not(
    client: TestClient,
) -> None:
    large = b"month,price\n" + b"2015-01,1\n" * LIMIT

    def bit_by_bit() -> Iterator[bytes]:
        yield from (large[i : i + 1000] for i in range(0, len(large), 1000))

    for content in (large, bit_by_bit(), gzip.compress(large)):
        answer = client.post("/forecast", content=content)
        assert (answer.status_code, answer.json()["code"]) == (413, 6)


def test_health_describes_the_run_that_is_served(client: TestClient) -> None:
    content = client.get("/health").json()
    del content["version"]
    assert content == {
        "status": "ok",
        "run": "runs/price",
        "series": 1,
        "freq": "MS",
        "horizon": 12,
        "trained_until": "2014-12",
    }


def test_metrics_count_requests_and_rows(client: TestClient) -> None:
    client.get("/forecast", params={"horizon": 3})
    client.get("/forecast", params={"horizon": 0})
    client.get("/nowhere")
    text = client.get("/metrics").text
    assert 'lstmcast_requests_total{path="/forecast",status="200"} 1.0' in text
    assert 'lstmcast_requests_total{path="/forecast",status="400"} 1.0' in text
    assert 'lstmcast_requests_total{path="other",status="404"} 1.0' in text
    assert "lstmcast_forecast_rows_total 3.0" in text
    assert 'lstmcast_request_seconds_count{path="/forecast"} 2.0' in text


def test_the_description_names_each_path_and_the_body(client: TestClient) -> None:
    content = client.get("/openapi.json").json()
    forecasts = {"/forecast", "/runs/{name}/forecast"}
    status = {"/", "/health", "/metrics", "/runs", "/runs/{name}"}
    assert set(content["paths"]) == forecasts | status
    for path in forecasts:
        body = content["paths"][path]["post"]["requestBody"]
        assert set(body["content"]) == {"application/json", "text/csv"}
    [name, *_] = content["paths"]["/runs/{name}/forecast"]["get"]["parameters"]
    assert name["schema"]["enum"] == ["price"]
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.json()["message"]) == (
        404,
        "GET /nowhere: not found",
    )


def test_another_name_of_this_machine_is_not_answered(client: TestClient) -> None:
    assert client.get("/health", headers={"host": "evil.example"}).status_code == 400


def test_many_requests_at_a_time_get_the_same_answers_as_one_by_one(
    client: TestClient,
) -> None:
    bodies = [
        {"rows": months(60 + k).to_dict("records"), "horizon": 1 + k % 5}
        for k in range(1, 13)
    ]

    def answer(body: dict[str, Any]) -> Any:
        return client.post("/forecast", json=body).json()

    one_by_one = [answer(body) for body in bodies]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(answer, bodies))
    assert together == one_by_one


def test_the_run_is_loaded_once(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: str) -> Predictor:
        raise AssertionError("loaded again")

    monkeypatch.setattr(Predictor, "load", load)
    assert client.get("/forecast").status_code == 200


def test_covariates_known_ahead_come_in_rows_without_a_target() -> None:
    frame = months(60).assign(sale=(np.arange(60) % 7 == 0).astype(float))
    predictor = predictor_of(frame, future="sale")
    ahead = [{"month": f"2015-{k:02}", "price": None, "sale": 0.0} for k in (1, 2)]
    rows = [*frame.tail(30).to_dict("records"), *ahead]
    with client_of(predictor) as client:
        answer = client.post("/forecast", json={"rows": rows, "horizon": 2})
        assert [row["month"] for row in answer.json()["forecast"]] == [
            "2015-01",
            "2015-02",
        ]
        content = client.post("/forecast", json={"rows": rows, "horizon": 3}).json()
        assert content["message"].startswith(
            "covariates known ahead (sale) are missing for 2015-03"
        )


def test_a_panel_is_forecast_by_series() -> None:
    frame = pd.concat([months(60).assign(shop=name) for name in ("north", "south")])
    with client_of(predictor_of(frame, series="shop")) as client:
        rows = client.get("/forecast", params={"horizon": 1}).json()["forecast"]
        assert [(row["shop"], row["month"]) for row in rows] == [
            ("north", "2015-01"),
            ("south", "2015-01"),
        ]


def test_a_run_directory_serves_what_it_predicts(
    tmp_path: Path, predictor: Predictor
) -> None:
    predictor.save(tmp_path / "run")
    with client_of(Predictor.load(tmp_path / "run")) as client:
        assert client.get("/forecast", headers={"accept": "text/csv"}).text == table_of(
            predictor
        )
        assert json.loads(client.get("/forecast").content)["run"] == "runs/price"


@pytest.fixture
def two_runs(predictor: Predictor) -> Iterator[TestClient]:
    shops = [months(66).assign(shop=name) for name in ("north", "south")]
    other = predictor_of(pd.concat(shops), series="shop")
    runs = [ServedRun("runs/price", predictor), ServedRun("old/two shops", other)]
    with client_of_runs(runs) as client:
        yield client


def test_several_runs_are_asked_by_name_and_the_first_without(
    two_runs: TestClient, predictor: Predictor
) -> None:
    csv = {"accept": "text/csv"}
    expected = table_of(predictor)
    for path in ("/forecast", "/runs/price/forecast"):
        assert two_runs.get(path, headers=csv).text == expected
    rows = months(63).assign(shop="north").to_dict("records")
    answer = two_runs.post(
        "/runs/two%20shops/forecast", json={"rows": rows, "horizon": 1}
    ).json()
    assert answer["run"] == "old/two shops"
    assert [row["month"] for row in answer["forecast"]] == ["2015-04"]
    assert two_runs.get("/health").json()["run"] == "runs/price"


def test_runs_are_listed_with_address_end_and_verdict(two_runs: TestClient) -> None:
    content = two_runs.get("/runs").json()
    price, shops = content["runs"]
    assert content["schema_version"] == 1
    assert (price["name"], price["trained_until"]) == ("price", "2014-12")
    assert (shops["run"], shops["series"], shops["target"]) == (
        "old/two shops",
        2,
        ["price"],
    )
    assert two_runs.get(shops["forecast"]).status_code == 200
    assert price["beats_baseline"] in (True, False)
    assert "the model's error was" in price["verdict"][0]
    assert two_runs.get("/runs/two%20shops").json() == shops


@pytest.mark.parametrize("path", ["/runs/prise", "/runs/prise/forecast"])
def test_a_run_that_is_not_served_is_not_found(path: str, two_runs: TestClient) -> None:
    answer = two_runs.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, 2)
    assert answer.json()["message"] == "no run 'prise' is served"
    assert answer.json()["hint"] == "see /runs"


def test_metrics_name_the_runs_that_are_served_only(two_runs: TestClient) -> None:
    two_runs.get("/runs/two%20shops/forecast")
    two_runs.get("/runs/prise/forecast")
    text = two_runs.get("/metrics").text
    counted = 'lstmcast_requests_total{path="/runs/two%20shops/forecast",status="200"}'
    assert f"{counted} 1.0" in text
    assert 'lstmcast_requests_total{path="other",status="404"} 1.0' in text
    assert "prise" not in text


def test_the_page_has_a_policy_that_allows_no_script_and_nothing_from_elsewhere(
    two_runs: TestClient,
) -> None:
    answer = two_runs.get("/")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'") and "script-src" not in policy
    assert "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert '"http://localhost/runs/two%20shops/forecast?horizon=12"' in (
        answer.text.replace("&#34;", '"')
    )


@pytest.mark.parametrize("host", ["x$(reboot)", 'x"; reboot; "', "[", "x y"])
def test_a_name_of_this_machine_that_a_shell_would_run_is_not_on_the_page(
    host: str, two_runs: TestClient
) -> None:
    answer = two_runs.get("/", headers={"host": host})
    assert answer.status_code == 200
    assert "reboot" not in answer.text
    # The framework itself takes the socket's own address for a name that is none.
    own = r"http://(127\.0\.0\.1:8000|localhost)/runs/price/forecast"
    assert re.search(own, answer.text)


def test_a_name_that_is_no_text_is_answered_in_escapes(predictor: Predictor) -> None:
    with client_of_runs([ServedRun("runs/a\udcff", predictor)]) as client:
        for path in ("/", "/runs", "/health", "/openapi.json", "/runs/a%3F/forecast"):
            assert client.get(path).status_code == 200, path
        assert client.get("/runs").json()["runs"][0]["run"] == "runs/a\udcff"

"""Requests of rubbish: none is answered 500, whatever it holds; all within this process.

`make reliability` counts thousands of them and writes the figures into docs/reliability.md.
"""

import contextlib
import gzip
import io
import json
import random
import string
from collections import Counter
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings

from lstmcast.cli.show import output
from lstmcast.cli.show.served_page import make_served_page
from lstmcast.deployment import serve, serve_requests, serve_runs
from lstmcast.deployment.serve_runs import ServedRun
from lstmcast.forecasting.predictor import Predictor
from tests.conftest import ROOT
from tests.faults.figures import record

pytestmark = pytest.mark.filterwarnings("ignore")  # as the program does

OLD = ROOT / "tests" / "old_files"
WRITER = serve.AnswerWriter(
    output.to_records,
    lambda columns: output.encode_table(columns, "csv"),
    make_served_page,
)
CELLS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**30, 10**400, -1e308, 1e-320),
    *("", " ", "x", "airport", "north", "2023-03-22", "2023-02-30", "9999-12-31"),
    *("0001-01-01", "1e400", "nan", "-inf", "1,5", "\ud800", "\x00", "\u202e", "=1+1"),
    *("a" * 3000, "9" * 3000, [], [1], {}, {"a": 1}),
)
LEVELS: tuple[Any, ...] = (
    *(None, [], [0.5], [0, 1], [0.1, 0.1], ["a"], [None], [True], "0.5", 3, {}),
    *([1e-300], [10**400], [float("nan")], [0.5] * 1000, [0.999999999999]),
)
HORIZONS: tuple[Any, ...] = (
    *(None, 1, 3, 7, 9, 0, -1, 1.0, "3", True, 10**30, 10_001, [], {}, float("inf")),
)
KINDS = (
    *("", "application/json", "text/csv", "text/csv; charset=utf-16", "x", "\xff"),
    *("application/vnd.apache.parquet", "multipart/form-data", "application/xml"),
)
ACCEPTS = ("", "text/csv", "application/json", "*/*", "image/png", ",;q=x", "\xff")
QUERIES = (
    *("", "horizon=3", "horizon=x", "horizon=1&horizon=2", "horizon=", "horizon=-1"),
    *("quantiles=0.1", "quantiles=,", "quantiles=1", "quantiles=%00", "horizon=1e3"),
    *("horizon=" + "9" * 5000, "quantiles=" + "0.5," * 500, "x=y", "%ff=%ff", "&&&"),
)
PATHS = (
    *("/forecast",) * 50,
    *("/health", "/metrics", "/", "/x", "/openapi.json", "//", "/runs", "/runs/"),
    *("/runs/x", "/runs/mae", "/runs/%ff/forecast", "/runs/mae/forecast", "/runs/../x"),
)
METHODS = ("POST",) * 50 + ("GET", "PUT", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")


class Rubbish:
    """Draws requests to a run; `newer` are rows as it takes them."""

    def __init__(self, name: str, chance: random.Random) -> None:
        self.chance = chance
        (file,) = (OLD / name).glob("newer.*")
        read = pd.read_parquet if file.suffix == ".parquet" else pd.read_csv
        frame = read(file).tail(60)
        self.rows = json.loads(frame.to_json(orient="records", date_format="iso"))
        self.names = list(self.rows[0])

    def draw(self) -> dict[str, Any]:
        """Return the arguments of one request."""
        chance = self.chance
        content = chance.choice(
            (self._json, self._json, self._json, self._table, self._csv, self._bytes)
        )()
        if chance.random() < 0.1:
            content = gzip.compress(content)
        if content and chance.random() < 0.15:
            at = chance.randrange(len(content))
            content = content[:at] + chance.randbytes(3) + content[at + 2 :]
        headers = [
            (b"content-type", chance.choice(KINDS).encode("latin-1")),
            (b"accept", chance.choice(ACCEPTS).encode("latin-1")),
        ]
        if chance.random() < 0.05:
            headers.append((b"content-encoding", b"gzip"))
        query = chance.choice(QUERIES) if chance.random() < 0.3 else ""
        return {
            "method": chance.choice(METHODS),
            "url": f"{chance.choice(PATHS)}?{query}",
            "content": content,
            "headers": headers,
        }

    def _rows(self) -> list[Any]:
        """Some rows that the run would take, with rubbish in some of their cells."""
        chance = self.chance
        rows = [dict(row) for row in self.rows[-chance.choice((1, 3, 20, 60)) :]]
        for _ in range(chance.choice((0, 1, 1, 3))):
            chance.choice(rows)[chance.choice(self.names)] = chance.choice(CELLS)
        if chance.random() < 0.2:
            name, cell = chance.choice(self.names), chance.choice(CELLS)
            for row in rows:
                row[name] = cell
        if chance.random() < 0.1:
            gone = chance.choice(self.names)
            rows = [{key: row[key] for key in row if key != gone} for row in rows]
        if chance.random() < 0.1:
            rows.append(chance.choice(CELLS))
        if chance.random() < 0.1:
            chance.shuffle(rows)
        if chance.random() < 0.1:
            rows *= 2
        return rows

    def _json(self) -> bytes:
        chance = self.chance
        content: Any = {}
        if chance.random() < 0.8:
            content["rows"] = self._rows()
        if chance.random() < 0.3:
            content["horizon"] = chance.choice(HORIZONS)
        if chance.random() < 0.3:
            content["quantiles"] = chance.choice(LEVELS)
        if chance.random() < 0.1:
            content[chance.choice(("x", "", "\ud800", "Rows"))] = chance.choice(CELLS)
        if chance.random() < 0.1:
            content = chance.choice((content.get("rows"), chance.choice(CELLS), [[]]))
        text = json.dumps(content)
        if chance.random() < 0.05:
            text = "[" * chance.choice((50, 5000)) + text
        if chance.random() < 0.05:
            text = text.replace('"rows"', '"rows": [], "rows"', 1)
        return text.encode()

    def _table(self) -> bytes:
        """An Arrow or Parquet file of columns whose types are not those of the training."""
        chance = self.chance
        columns = {}
        for name in self.names:
            column = pa.array([row[name] for row in self.rows])
            columns[name] = (
                self._odd_column(len(column)) if chance.random() < 0.25 else column
            )
        table = pa.table(columns)
        out = io.BytesIO()
        # Not every type can be written as Parquet.
        if chance.random() < 0.4:
            with contextlib.suppress(pa.ArrowException):
                pq.write_table(table, out)
                return out.getvalue()
        with pa.ipc.new_file(out, table.schema) as writer:
            writer.write_table(table)
        return out.getvalue()

    def _odd_column(self, length: int) -> Any:
        codes = pa.array([number % 3 for number in range(length)], pa.int32())
        numbers = pa.array(range(length), pa.int64())
        return self.chance.choice(
            (
                pa.DictionaryArray.from_arrays(codes, pa.array([5, 6, 7])),
                pa.DictionaryArray.from_arrays(codes, pa.array([0.5, None, 7])),
                pa.DictionaryArray.from_arrays(codes, pa.array(["a", "", None])),
                pa.DictionaryArray.from_arrays(codes, pa.array([[1], [2], [3]])),
                pa.array([b"\xff"] * length),
                pa.array([None] * length),
                pa.array([True] * length),
                numbers,
                numbers.cast(pa.int32()).cast(pa.date32()),
                numbers.cast(pa.timestamp("ns", "Europe/Berlin")),
                numbers.cast(pa.time64("us")),
                numbers.cast(pa.duration("s")),
                numbers.cast(pa.decimal128(20, 0)),
                pa.array([float("nan")] * length),
                pa.array([float("inf")] * length),
                pa.array([[1]] * length),
            )
        )

    def _csv(self) -> bytes:
        mark = self.chance.choice(",;\t|")
        lines = [mark.join(self.names)]
        for row in self._rows():
            cells = row.values() if isinstance(row, dict) else [row]
            lines.append(
                mark.join("" if cell is None else str(cell)[:5000] for cell in cells)
            )
        return "\n".join(lines).encode("utf-8", "surrogatepass")

    def _bytes(self) -> bytes:
        chance = self.chance
        start = chance.choice(
            (b"", b"{", b"PAR1", b"ARROW1", b"\x1f\x8b", b"PK\x03\x04")
        )
        letters = "".join(chance.choices(string.printable, k=chance.randrange(40)))
        return start + chance.choice((chance.randbytes(50), letters.encode()))


def load_run(name: str) -> ServedRun:
    return ServedRun(f"runs/{name}", Predictor.load(OLD / name / "run"))


def client_of(name: str) -> TestClient:
    app = serve.create_app([load_run(name)], WRITER, limit=200_000)
    return TestClient(app, base_url="http://localhost", raise_server_exceptions=False)


@pytest.fixture(autouse=True)
def _without_net(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let errors that nobody has thought of show, which the server takes for the client's."""
    monkeypatch.setattr(serve_runs, "READING_ERRORS", ())
    # Ten thousand steps are right, and take a minute each time.
    monkeypatch.setattr(serve_requests, "MAX_REQUEST_HORIZON", 50)


def send_rubbish(name: str, count: int, seed: int) -> Counter[str]:
    """Send requests of rubbish to a run; returns how many were answered with which status."""
    rubbish = Rubbish(name, random.Random(seed))
    found = Counter[str]()
    with client_of(name) as client:
        for number in range(count):
            request = rubbish.draw()
            answer = client.request(**request)
            told = f"request {number}: {str(request)[:1500]}: {answer.text[:300]}"
            assert answer.status_code < 500, told
            if answer.status_code >= 400 and request["method"] != "HEAD":
                content = answer.json()
                assert content["message"] and len(answer.content) < 10_000, told
            elif b"NaN" in answer.content and "/forecast" in request["url"]:
                raise AssertionError(told)
            found[f"answered {answer.status_code}"] += 1
    return found


def test_a_table_that_nobody_has_thought_of_is_an_error_of_the_client(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # with the net

    def fail(*_: object, **__: object) -> None:
        raise OverflowError("surprise")

    monkeypatch.setattr(serve_runs.Panel, "from_table", fail)
    with client_of("quantile") as client:
        answer = client.post("/forecast", json=[{"month": "2015-01", "co2": 1}])
    assert (answer.status_code, answer.json()["code"]) == (422, 3)
    assert answer.json()["message"] == "request: its table cannot be understood"


@pytest.mark.parametrize("name", ["mae", "quantile", "bernoulli"])
def test_no_request_is_answered_with_an_error_of_the_server(name: str) -> None:
    assert send_rubbish(name, 80, seed=1)["answered 422"] > 10


def send_schemathesis(count: int) -> Counter[str]:
    """Send what schemathesis makes of the description, right and wrong, to every path."""
    schemathesis = pytest.importorskip("schemathesis", reason="needs the extra dev")
    runs = [load_run("quantile"), load_run("mae")]
    app = serve.create_app(runs, WRITER, limit=200_000)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    found = Counter[str]()

    @settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(schema.as_strategy())
    def send(case: Any) -> None:
        answer = case.call()
        assert answer.status_code < 500, f"{case.as_curl_command()}: {answer.text}"
        found[f"answered {answer.status_code}"] += 1

    send()
    return found


def test_what_is_made_of_the_description_is_never_answered_500() -> None:
    assert send_schemathesis(60)["answered 200"] > 5


@pytest.mark.parametrize(
    "text", ['[{"\\ud800": 1}]', '[{"month": "\\udfff"}]', '{"\\ud800": []}']
)
def test_half_a_character_is_refused_in_any_place(text: str) -> None:
    with client_of("quantile") as client:
        answer = client.post("/forecast", content=text.encode())
    assert answer.status_code == 422
    assert "is half of a character" in answer.json()["message"]


def test_a_dictionary_of_numbers_is_a_column_of_numbers() -> None:
    """Where text was trained it is refused as such, where numbers were it is read."""
    codes = pa.array([0, 1, 1, 0], pa.int32())
    numbers = pa.DictionaryArray.from_arrays(codes, pa.array([350.0, 351.0]))
    months = ["2030-01-01", "2030-02-01", "2030-03-01", "2030-04-01"]
    with client_of("quantile") as client:
        for columns, status in (
            ({"month": months, "co2": numbers}, 200),
            ({"month": numbers, "co2": [1.0, 2.0, 3.0, 4.0]}, 422),
        ):
            out = io.BytesIO()
            table = pa.table(columns)
            with pa.ipc.new_file(out, table.schema) as writer:
                writer.write_table(table)
            answer = client.post("/forecast", content=out.getvalue())
            assert answer.status_code == status, answer.text


@pytest.mark.slow
def test_thousands_of_requests_are_never_answered_500() -> None:
    found = Counter[str]()
    for name in ("mae", "quantile", "bernoulli", "student-t"):
        found += send_rubbish(name, 1000, seed=2)
    record("a request of rubbish to a run that is served", found)
    record("a request that schemathesis makes, right or wrong", send_schemathesis(1500))

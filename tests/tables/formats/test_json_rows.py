import gzip
import json
from pathlib import Path

import pandas as pd
import pytest

from lstmcast.config import Columns, DataConfig
from lstmcast.errors import DataError, ResourceError
from lstmcast.panel.panel import Panel
from lstmcast.tables.read import read_table
from tests.conftest import ROOT

ROWS = [{"day": f"2024-01-{day:02}", "sold": day * 1.5} for day in range(1, 29)]


def as_rows() -> str:
    return json.dumps(ROWS, indent=1)


def as_lines() -> str:
    return "\n".join(map(json.dumps, ROWS)) + "\n\n"


def as_lists() -> str:
    return json.dumps({key: [row[key] for row in ROWS] for key in ROWS[0]})


def under_a_key() -> str:
    return json.dumps({"status": "ok", "rows": ROWS, "count": 28})


@pytest.mark.parametrize("write", [as_rows, as_lines, as_lists, under_a_key])
@pytest.mark.parametrize("packed", [False, True])
def test_every_shape_of_a_table_is_read(
    write: object, packed: bool, tmp_path: Path
) -> None:
    text = write().encode()  # type: ignore[operator]
    (tmp_path / "x").write_bytes(gzip.compress(text) if packed else text)
    table = read_table(tmp_path / "x")
    assert table.names == ["day", "sold"]
    assert table.frame["sold"].tolist() == [row["sold"] for row in ROWS]
    panel = Panel.from_table(table, Columns(("sold",)), DataConfig())
    assert (panel.axis.freq, len(panel.values)) == ("D", 28)


def test_a_real_file_of_another_library_gives_the_same_panel(tmp_path: Path) -> None:
    source = ROOT / "sample_data" / "price.csv"
    frame = pd.read_csv(source)
    frame.to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    frame.to_json(tmp_path / "x.json", orient="records")
    columns = Columns(("price",))
    whole = Panel.from_table(read_table(source), columns, DataConfig())
    for name in ("x.jsonl", "x.json"):
        panel = Panel.from_table(read_table(tmp_path / name), columns, DataConfig())
        assert panel.values.tolist() == whole.values.tolist()


def test_keys_that_come_later_and_values_within_values(tmp_path: Path) -> None:
    (tmp_path / "x").write_text('[{"a": 1, "b": {"c": 2}}, {"a": 2, "d": "x"}]')
    frame = read_table(tmp_path / "x").frame
    assert list(frame) == ["a", "d"]
    assert frame["d"].isna().tolist() == [True, False]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": 2}\n{"a": \n', ":3: not valid JSON"),
        ('[{"a": 1},\n {"a" 2}]', ":2: not valid JSON"),
        ('[{"a": 1}, 2]', "row 2 is no object"),
        ('{"a": [1, 2], "b": [1]}', "different lengths, 1 to 2"),
        ('{"a": {"b": 1}}', "no table"),
        ("[]", "no rows"),
        ("{}", "no table"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_what_is_no_table_is_refused_with_its_place(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=message):
        read_table(tmp_path / "x.json")


def test_more_than_is_allowed_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_bytes(gzip.compress(as_rows().encode()))
    with pytest.raises(ResourceError, match="max.bytes"):
        read_table(tmp_path / "x.json", DataConfig(max_bytes=500))

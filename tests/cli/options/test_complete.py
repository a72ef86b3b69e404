"""What is offered for the value of an option; whole lines are in `test_contract_completion`."""

import gzip
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from lstmcast.cli.options.complete import (
    complete_column,
    complete_format,
    read_column_names,
)


@pytest.mark.parametrize(
    ("data", "names"),
    [
        (b"a;b c;d,e\n1;2;3\n", ["a", "b c", "d,e"]),
        (b"\xef\xbb\xbfa\tb\n", ["a", "b"]),
        (b'"x,y",z\n', ["x,y", "z"]),
        (gzip.compress(b"a,b\n1,2\n", mtime=0), ["a", "b"]),
        (b"PAR1\0\0", []),
        (b"\x1f\x8b broken", []),
        (b"", []),
    ],
)
def test_14_columns_are_those_of_the_first_line(
    data: bytes, names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "x").write_bytes(data)
    assert read_column_names(str(tmp_path / "x")) == names


@pytest.mark.parametrize("file", ["nowhere.csv", ".", "~nobody/x.csv"])
def test_a_file_that_cannot_be_read_has_no_columns(file: str) -> None:
    assert read_column_names(file) == []


def test_formats_are_offered_by_their_beginning() -> None:
    assert complete_format("j") == ["json", "jsonl"]


@pytest.mark.parametrize("given", [["x.csv"], ["run", "x.csv"]])
def test_columns_are_those_of_data_also_where_a_run_is_left_out(
    given: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x.csv").write_text("when,cpu,cost\n")
    params = [
        SimpleNamespace(name=name, param_type_name="argument")
        for name in ("run", "data")
    ]
    context: Any = SimpleNamespace(
        command=SimpleNamespace(params=params), args=given, params={}
    )
    assert complete_column(context, "c") == ["cpu", "cost"]
    context.args, context.params = [], {"run": given[0], "data": None}
    expected = ["cpu", "cost"] if len(given) == 1 else []
    assert complete_column(context, "c") == expected

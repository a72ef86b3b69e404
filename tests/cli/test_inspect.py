import json
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Program


def test_inspect_pins_its_guesses_in_a_command_line(lstmcast: Program, sample: Path) -> None:
    done = lstmcast("inspect", sample / "shop.csv")
    assert done.returncode == 0
    words = shlex.split(done.stdout.splitlines()[-1])
    assert words[:3] == ["lstmcast", "fit", str(sample / "shop.csv")]
    options = dict(zip(words[3::2], words[4::2], strict=True))
    assert options == {
        "--target": "sold", "--time": "date", "--series": "shop", "--freq": "D", "--season": "7", "--horizon": "14",
    }  # fmt: skip


def test_inspect_says_what_each_column_is(lstmcast: Program, sample: Path) -> None:
    seen = json.loads(lstmcast("inspect", sample / "shop.csv", "--json").stdout)
    assert (seen["schema_version"], seen["n_series"], seen["freq"]) == (1, 5, "D")
    kinds = {column["name"]: column["kind"] for column in seen["columns"]}
    assert (kinds["date"], kinds["shop"], kinds["sold"]) == ("time", "text", "number")


def test_inspect_finds_a_key_of_several_columns(lstmcast: Program, tmp_path: Path) -> None:
    rows = [f"{1980 + year}-01-01,{a},{b},{value}" for value, (year, a, b) in enumerate(
        (year, a, b) for a in "uv" for b in "xy" for year in range(40)
    )]  # fmt: skip
    (tmp_path / "two.csv").write_text("\n".join(["date,a,b,y", *rows]))
    seen = json.loads(lstmcast("inspect", "two.csv", "--json").stdout)
    assert (seen["series"], seen["n_series"], seen["target"]) == (["a", "b"], 4, ["y"])


def test_inspect_repeats_how_the_file_was_read(lstmcast: Program, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("when;y\n" + "".join(f"{day:02}.03.2024;{day},5\n" for day in range(1, 31)))
    done = lstmcast("inspect", "d.csv", "--date-format", "%d.%m.%Y", "--decimal", ",")
    assert done.stdout.splitlines()[-1].endswith("--date-format %d.%m.%Y --decimal ,")


@pytest.mark.parametrize(
    ("text", "status"), [("", 3), ("a,b\nx,y\nz,w\n", 3)], ids=["an empty file", "no column of numbers"]
)
def test_inspect_of_what_cannot_be_forecast_says_so(text: str, status: int, lstmcast: Program, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(text)
    done = lstmcast("inspect", "x.csv")
    assert done.returncode == status
    assert len(done.stderr.splitlines()) <= 4
    assert "error: " in done.stderr

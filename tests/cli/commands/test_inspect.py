"""What `inspect` shows, as text and as JSON; its command reads the file as it was shown."""

import json
import random
import re
import shlex
import sys
from datetime import date, timedelta
from pathlib import Path

import pytest

from lstmcast import extras
from lstmcast.extras import install_command
from lstmcast.forecasting.predictor import Predictor
from tests.cli.conftest import Program, on_terminal, write_months


def test_inspect_pins_its_guesses_in_a_command_line(
    lstmcast: Program, sample: Path
) -> None:
    done = lstmcast("inspect", sample / "shop.csv")
    assert done.returncode == 0
    words = shlex.split(done.stdout.splitlines()[-1])
    assert words[:3] == ["lstmcast", "fit", str(sample / "shop.csv")]
    assert "--header" in words
    options = dict(zip(words, words[1:], strict=False))
    expected = {
        "--target": "sold",
        "--time": "date",
        "--series": "shop",
        "--freq": "D",
        "--season": "7",
    }
    expected |= {
        "--delimiter": ",",
        "--decimal": ".",
        "--encoding": "utf-8",
        "--date-format": "%Y-%m-%d",
    }
    assert {name: options[name] for name in expected} == expected


def test_the_command_that_is_printed_works_and_leaves_nothing_to_be_found(
    lstmcast: Program, tmp_path: Path
) -> None:
    rows = "".join(
        f"{day:02}/{month:02}/2023;{day % 7},{month}\n"
        for month in range(1, 13)
        for day in range(1, 29)
    )
    (tmp_path / "d.csv").write_text("when;y\n" + rows)
    printed = lstmcast(
        "inspect", "d.csv", "--date-format", "%d/%m/%Y"
    ).stdout.splitlines()[-1]
    done = lstmcast(*shlex.split(printed)[1:], "--steps", 0)
    assert (done.returncode, done.stdout) == (0, "runs/d-y\n"), done.stderr
    assert "time is" not in done.stderr


def test_inspect_says_what_each_column_is_and_could_be(
    lstmcast: Program, sample: Path
) -> None:
    content = json.loads(lstmcast("inspect", sample / "shop.csv", "--json").stdout)
    assert (content["schema_version"], content["n_series"], content["freq"]) == (
        1,
        5,
        "D",
    )
    columns = {
        column["name"]: (column["kind"], column["role"], column["could"])
        for column in content["columns"]
    }
    assert columns == {
        "date": ("time", "time", []),
        "shop": ("text", "series", []),
        "region": ("text", "", ["static"]),
        "sold": ("number", "target", []),
        "price": ("number", "", ["future", "target"]),
        "promotion": ("number", "", ["future"]),
        "holiday": ("number", "", ["future"]),
        "temperature": ("number", "", ["past", "target"]),
    }


def test_inspect_tells_findings_with_figures_and_what_is_done_about_them(
    lstmcast: Program, tmp_path: Path
) -> None:
    lines = write_months(tmp_path / "m.csv", 96).read_text().splitlines()
    del lines[50:53]
    lines[80] = lines[80].split(",")[0] + ",400"
    (tmp_path / "m.csv").write_text("\n".join(lines))
    found = json.loads(lstmcast("inspect", "m.csv", "--json").stdout)["findings"]
    assert (found["season"]["main"], found["trend"]["rising"]) == (12, 1)
    assert 0.5 < found["season"]["strength"] <= 1
    gap = {
        name: found["gaps"][name]
        for name in ("steps", "count", "longest", "from", "to")
    }
    assert gap == {
        "steps": 3,
        "count": 1,
        "longest": 3,
        "from": "2014-02",
        "to": "2014-04",
    }
    assert found["outliers"]["farthest"][0]["value"] == 400
    assert "--fill" in found["gaps"]["done"]


def write_panel(path: Path, header: str, rows: list[str]) -> Path:
    path.write_text("\n".join([header, *rows, ""]))
    return path


def days(values: list[object], more: str = "") -> list[str]:
    first = date(2023, 1, 1)
    return [
        f"{first + timedelta(day)},{value}{more}" for day, value in enumerate(values)
    ]


def files_of_kinds(folder: Path) -> dict[str, Path]:
    """Files in which something is guessed, each in another way."""
    noise = random.Random(0)
    level = [f"{noise.gauss(50, 5):.1f}" for _ in range(90)]
    flags = [int(noise.random() < 0.3) for _ in range(90)]
    shops = [f"{row},{shop}" for shop in (7, 9) for row in days([*level])]
    return {
        "binary": write_panel(folder / "b.csv", "day,rain", days([*flags])),
        "two numbers": write_panel(folder / "t.csv", "day,a,b", days([*level], ",7.5")),
        "number key": write_panel(folder / "k.csv", "day,sold,shop", shops),
        "no time": write_panel(folder / "n.csv", "sold", [*level]),
        "semicolons": write_panel(
            folder / "s.csv",
            "Tag;Wert",
            [row.replace(".", ",").replace(",", ";", 1) for row in days([*level])],
        ),
    }


@pytest.mark.parametrize(
    "kind",
    ["binary", "two numbers", "number key", "no time", "semicolons"],
)
def test_the_command_that_is_printed_fits_what_was_shown(
    kind: str, quickly: Program, tmp_path: Path
) -> None:
    path = files_of_kinds(tmp_path)[kind]
    shown = json.loads(quickly("inspect", path, "--json", "-q").stdout)
    words = shlex.split(shown["command_line"])[1:]
    done = quickly(*words, "--steps", 0, "--out", "run", "--json", "-q")
    assert done.returncode == 0, done.stderr
    run = Predictor.load(tmp_path / "run")
    assert shown["freq"] == run.panel.axis.freq
    assert (shown["n_series"], shown["steps"]) == (
        len(run.panel),
        len(run.panel.values),
    )
    assert (shown["season"], shown["horizon"]) == (run.season, run.horizon)
    roles = {
        name: list(getattr(run.panel.columns, name)) for name in ("target", "series")
    }
    assert roles == {name: shown[name] for name in roles}
    first = run.panel.axis.texts(run.panel.start)[0]
    assert shown["findings"]["time"]["first"] == first


def test_guesses_are_told_from_facts_in_text_and_as_json(
    quickly: Program, tmp_path: Path
) -> None:
    files = files_of_kinds(tmp_path)
    last = "to fit it so, with nothing left to be guessed:"
    sure = quickly("inspect", files["semicolons"])
    assert sure.stdout.splitlines()[-2] == last
    content = json.loads(quickly("inspect", files["semicolons"], "--json").stdout)
    assert content["guesses"] == {}
    assert content["findings"]["target"]["certainty"] == "fact"

    unsure = quickly("inspect", files["number key"]).stdout
    heading = "to fit it so, if these are right: series (a guess):"
    assert unsure.splitlines()[-2] == heading
    assert "(a guess, or rows of one time that belong together" in " ".join(
        unsure.split()
    )
    content = json.loads(quickly("inspect", files["number key"], "--json").stdout)
    assert content["guesses"] == {"series": "guess"}
    assert content["findings"]["series"]["alternatives"]
    # What is requested is certain.
    named = quickly("inspect", files["number key"], "--series", "shop")
    assert named.stdout.splitlines()[-2] == last


def test_calendar_columns_counts_and_sentinels_are_proposed(
    quickly: Program, tmp_path: Path
) -> None:
    noise = random.Random(1)
    first = date(2023, 1, 1)
    rows = []
    for step in range(200):
        day = first + timedelta(step)
        sold = noise.choice([0, 0, 0, 1, 2, 3])
        heat = -999 if step in (50, 90) else f"{noise.gauss(15, 3):.1f}"
        rows.append(f"{day},{sold},{day.isoweekday()},{heat},{2 * sold}")
    path = write_panel(tmp_path / "c.csv", "day,sold,wd,heat,twice", rows)
    done = quickly("inspect", path, "--target", "sold", "--json")
    content = json.loads(done.stdout)
    found = content["findings"]
    could = {column["name"]: column["could"] for column in content["columns"]}
    assert (could["wd"], could["twice"]) == (["future"], [])
    assert found["calendar"]["certainty"] == "fact"
    assert found["counts"]["loss"] == "negative-binomial"
    assert found["sentinel"]["options"] == ["--na -999"]
    assert found["suspicious"]["columns"] == ["twice"]
    text = quickly("inspect", path, "--target", "sold").stdout
    line = "to add      --na -999 --loss negative-binomial --future wd --past heat"
    assert line in text.splitlines()
    # What is proposed can be done.
    words = [*shlex.split(content["command_line"])[1:], *line.split()[2:]]
    # A day after the last row is needed of what is known ahead, but not for the fit.
    done = quickly(*words, "--steps", 1, "--members", 1, "--horizon", 2, "--out", "run")
    assert done.returncode == 0, done.stderr


def test_a_tab_is_pinned_by_its_name(lstmcast: Program, tmp_path: Path) -> None:
    (tmp_path / "t.tsv").write_text(
        "t\ty\n" + "".join(f"{step}\t{step % 3}\n" for step in range(1, 20))
    )
    pinned = shlex.split(lstmcast("inspect", "t.tsv").stdout.splitlines()[-1])
    assert pinned[pinned.index("--delimiter") + 1] == "tab"
    again = lstmcast("inspect", *pinned[2:])
    assert sorted(shlex.split(again.stdout.splitlines()[-1])) == sorted(pinned), (
        again.stderr
    )


def test_requested_roles_are_not_guessed(lstmcast: Program, sample: Path) -> None:
    options = ("--target", "temperature", "--future", "holiday", "--horizon", 5)
    content = json.loads(
        lstmcast("inspect", sample / "shop.csv", *options, "--json").stdout
    )
    assert (content["target"], content["series"], content["horizon"]) == (
        ["temperature"],
        ["shop"],
        5,
    )
    assert (
        "--future holiday" in content["command_line"]
        and "--horizon 5" in content["command_line"]
    )


def test_inspect_finds_a_key_of_several_columns(
    lstmcast: Program, tmp_path: Path
) -> None:
    rows = [f"{1980 + year}-01-01,{a},{b},{value}" for value, (year, a, b) in enumerate(
        (year, a, b) for a in "uv" for b in "xy" for year in range(40)
    )]  # fmt: skip
    (tmp_path / "two.csv").write_text("\n".join(["date,a,b,y", *rows]))
    content = json.loads(lstmcast("inspect", "two.csv", "--json").stdout)
    assert (content["series"], content["n_series"], content["target"]) == (
        ["a", "b"],
        4,
        ["y"],
    )


def test_two_columns_of_times_are_both_named_and_the_first_is_shown(
    lstmcast: Program, tmp_path: Path
) -> None:
    rows = "".join(
        f"2024-01-{day:02},2024-02-{day:02},{day % 5}\n" for day in range(1, 29)
    )
    (tmp_path / "t.csv").write_text("ordered,paid,y\n" + rows)
    content = json.loads(lstmcast("inspect", "t.csv", "--json").stdout)
    assert content["time"] == ["ordered"]
    assert {column["name"]: column["could"] for column in content["columns"]}[
        "paid"
    ] == ["time"]


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_for_a_terminal_fit_it_but_for_the_command_to_copy(
    sample: Path, tmp_path: Path, columns: int
) -> None:
    screen = on_terminal(["inspect", sample / "shop.csv"], tmp_path, columns=columns)
    assert screen.status == 0
    *lines, _ = screen.text.rstrip().splitlines()
    assert max(map(len, lines[1:])) <= columns
    drawn = [line for line in lines if re.search("[▁▂▃▄▅▆▇█]{40}", line)]
    assert [line.split("  ")[0] for line in drawn] == ["airport", "harbour", "old town"]


def test_headings_stand_out_on_a_terminal_and_are_plain_elsewhere(
    lstmcast: Program, sample: Path
) -> None:
    plain = lstmcast("inspect", sample / "price.csv", env={"FORCE_COLOR": ""}).stdout
    bold = lstmcast("inspect", sample / "price.csv", env={"FORCE_COLOR": "1"}).stdout
    assert "\x1b" not in plain
    assert "\x1b[1mseason      \x1b[0m" in bold
    assert re.sub(r"\x1b\[\d?m", "", bold) == plain


def test_what_was_filled_is_reported(lstmcast: Program, tmp_path: Path) -> None:
    lines = write_months(tmp_path / "m.csv", 60).read_text().splitlines()
    (tmp_path / "m.csv").write_text("\n".join(lines[:30] + lines[33:]))
    shown = lstmcast("inspect", "m.csv", "--fill", "linear").stdout
    assert (
        "filled for the network: --fill linear; neither learnt nor scored"
        in " ".join(shown.split())
    )
    zero = lstmcast("inspect", "m.csv", "--fill", "zero").stdout
    assert "gaps        none left by --fill zero" in zero


def test_a_picture_is_drawn_of_what_was_found(
    lstmcast: Program, sample: Path, tmp_path: Path
) -> None:
    done = lstmcast("inspect", sample / "shop.csv", "--plot", "shop.png")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (
        0,
        "picture written to 'shop.png'",
    )
    assert (tmp_path / "shop.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_a_picture_is_refused_with_the_line_that_installs_it(
    quickly: Program, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "matplotlib", raising=False)
    monkeypatch.setattr(extras, "find_spec", lambda _: None)
    done = quickly("inspect", sample / "shop.csv", "--plot", "x.png")
    assert (done.returncode, done.stdout) == (2, "")
    assert install_command("plot") in done.stderr


@pytest.mark.parametrize(
    ("text", "status"),
    [("", 3), ("a,b\nx,y\nz,w\n", 3)],
    ids=["an empty file", "no column of numbers"],
)
def test_inspect_of_what_cannot_be_forecast_says_so(
    text: str, status: int, lstmcast: Program, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(text)
    done = lstmcast("inspect", "x.csv")
    assert done.returncode == status
    assert len(done.stderr.splitlines()) <= 3
    assert "error: " in done.stderr


def test_columns_are_shown_even_where_they_form_no_series(
    lstmcast: Program, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text(
        "date,y\n" + "2024-01-01,1\n2024-01-02,2\n2024-01-02,3\n" * 3
    )
    done = lstmcast("inspect", "x.csv")
    assert (done.returncode, "--duplicates" in done.stderr) == (3, True)
    assert [line.split()[:2] for line in done.stdout.splitlines()[-2:]] == [
        ["date", "time"],
        ["y", "number"],
    ]

"""What all commands share; the contract on help is in `test_contract_help`."""

from pathlib import Path

from tests.cli.conftest import Program


def test_options_stand_under_headings_with_their_variables(quickly: Program) -> None:
    lines = quickly("fit", "--help").stdout.splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings[1:] == [
        "Arguments:", "Columns:", "Reading:", "Window:", "Network:", "Training:", "Output:",
        "General:", "Examples:",
    ]  # fmt: skip
    text = " ".join(" ".join(lines).split())
    assert "[default: inferred from the data; LSTMCAST_FREQ]" in text
    assert "--force Replace an existing run." in text  # an act, which no variable sets


def test_an_error_about_an_option_says_where_it_was_set(
    quickly: Program, tmp_path: Path
) -> None:
    (tmp_path / "lstmcast.toml").write_text("horizon = 0\n")
    done = quickly("fit", "x.csv", "--target", "y")
    assert done.returncode == 2
    assert "--horizon 0 is out of range (set in lstmcast.toml)" in done.stderr

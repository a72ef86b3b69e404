"""The rows F of faults: files as people have them, and what the program makes of them."""

from pathlib import Path

from tests.faults.conftest import Refused, Seen, days

PLAIN = days(y=lambda day: day + 0.5)


def test_F1_a_missing_file_is_refused_with_near_names(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text(PLAIN)
    refused("fit", "price.csv", "--target", "y", says=["no file 'price.csv'", "did you mean 'prices.csv'?"])


def test_F3_a_byte_order_mark_is_no_part_of_a_name(seen: Seen, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("\ufeff" + PLAIN)
    found = seen("x.csv")
    assert (found["time"], found["steps"]) == (["date"], 30)
    assert "byte-order mark skipped" in found["notes"]

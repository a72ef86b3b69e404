"""Lines judged as they come; what is judged of them by a run is in `commands/test_detect`."""

import io
import sys

import pandas as pd
import pytest

from lstmcast import DataConfig, DataError
from lstmcast.cli.show.console import Reporter
from lstmcast.cli.streaming.follower import LineFollower, find_named_header
from lstmcast.cli.streaming.lines import NumberedLine


class Doubler(LineFollower):
    """Doubles the numbers of lines; remembers how many came at once."""

    blocks: list[int]

    def count_events(self) -> int:
        """Return that there are none."""
        return 0

    def find_header(self, first: bytes) -> bytes:
        """Return the first line."""
        return first

    def judge_together(self, lines: list[NumberedLine]) -> pd.DataFrame | None:
        """Double the numbers of lines, of which none may be bad."""
        try:
            frame = self._double(lines)
        except DataError:
            return None
        self.blocks.append(len(lines))
        return frame

    def judge_line(self, line: NumberedLine) -> pd.DataFrame:
        """Double the number of one line."""
        try:
            return self._double([line])
        except DataError as error:
            raise self.name_line(error, line) from None

    def _double(self, lines: list[NumberedLine]) -> pd.DataFrame:
        series = self.to_table(lines).series("n")
        if not series.str.isdigit().all():
            raise DataError("stdin:2: no number", "write one")
        self.count({"judged": len(series), "share": 1})
        return pd.DataFrame({"n": series.astype(int) * 2})


def follow(
    monkeypatch: pytest.MonkeyPatch, text: bytes, **settings: object
) -> tuple[Doubler, dict[str, float]]:
    stdin = io.TextIOWrapper(io.BufferedReader(io.BytesIO(text)))  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stdin", stdin)
    config = DataConfig(**settings)  # type: ignore[arg-type]
    follower = Doubler(Reporter(), config, "csv", "cat FILE | double -")
    follower.blocks = []
    return follower, follower.run()


def test_lines_that_arrive_at_once_are_judged_at_once(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    follower, figures = follow(monkeypatch, b"\xef\xbb\xbfn,m\n1,0\n2,0\n3,0\n")
    assert capsysbinary.readouterr().out == b"n\n2\n4\n6\n"
    assert follower.blocks == [3]
    assert figures == {"judged": 3, "events": 0, "share": 0.0}


def test_beside_a_bad_line_each_is_judged_by_itself_and_it_is_named(
    monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    text = b"n,m\n1,0\n\nx,0\n3,0\n"
    with pytest.raises(DataError, match="^stdin:4: no number"):
        follow(monkeypatch, text)
    assert capsysbinary.readouterr().out == b"n\n2\n"
    follow(monkeypatch, text, bad_rows="skip")
    captured = capsysbinary.readouterr()
    assert captured.out == b"n\n2\n6\n"
    assert captured.err.decode().splitlines()[-1] == "skipped: stdin:4: no number"


def test_a_note_is_shown_once(capsys: pytest.CaptureFixture[str]) -> None:
    follower = Doubler(Reporter(), DataConfig(), "csv", "")
    for _ in range(2):
        follower.show_notes(["the time is 't'", "another"])
    assert capsys.readouterr().err.count("the time is 't'") == 1


def test_nothing_on_stdin_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match="stdin has no rows; give .* double -"):
        follow(monkeypatch, b"n,m\n")


@pytest.mark.parametrize(
    ("first", "targets", "header"),
    [
        (b"when;cpu;ram", ["cpu", "ram"], b"when;cpu;ram"),
        (b"2024-01-01;5", ["cpu"], b"t;cpu"),
        (b"2024-01-01,5,6", ["cpu"], None),
        (b"when,ram", ["cpu"], b"t,cpu"),
    ],
)
def test_a_header_has_the_targets_or_is_known_from_two_columns(
    first: bytes, targets: list[str], header: bytes | None
) -> None:
    found = find_named_header(first, targets, ("t", "cpu"))
    assert (found[0] if found else None) == header
    assert found is None or bool(found[1]) == (header != first)
    if header != first:
        assert find_named_header(first, targets) is None

"""A verdict is a table, one line, and a part of a page."""

import math
from dataclasses import dataclass, field

from lstmcast.scoring.verdict_views import VerdictViews


@dataclass(repr=False)
class Scored(VerdictViews):
    skill: float = 0.25
    model: dict[str, float] = field(
        default_factory=lambda: {"mase": 0.75, "mae": 3.0, "wql": math.nan}
    )
    baselines: dict[str, dict[str, float]] = field(
        default_factory=lambda: {"naive <1>": {"mase": 1.0, "mae": 4.0}}
    )

    def sentences(self) -> list[str]:
        return ["25 % below that of <naive>."]


def test_a_verdict_is_a_frame_of_methods_and_errors() -> None:
    frame = Scored().to_frame()
    assert frame.loc["lstmcast", "mae"] == 3.0 and frame.loc["naive <1>", "mae"] == 4.0
    assert frame.index.name == "method"


def test_a_line_has_the_skill_and_some_errors() -> None:
    assert repr(Scored()) == "<Verdict: skill 0.25, mase 0.75, mae 3, wql nan>"


def test_html_has_all_figures_and_no_markup_of_names() -> None:
    page = Scored()._repr_html_()
    assert "<td>0.75</td><td>3</td><td></td>" in page
    assert "naive &lt;1&gt;" in page and "&lt;naive&gt;" in page


def test_it_knows_who_is_better_and_what_is_forecast() -> None:
    assert Scored().beats_baseline and not Scored(skill=-0.1).beats_baseline
    assert Scored(model={"brier": 0.1}).of_events and not Scored().of_events

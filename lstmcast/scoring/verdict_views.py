"""How a verdict looks: as sentences, as a table, in one line and in a notebook.

Reads the figures of a `Verdict`; computes no errors.
"""

from html import escape
from typing import TYPE_CHECKING, Any

from lstmcast.scoring.wording import describe_verdict

if TYPE_CHECKING:
    import pandas as pd

MODEL_NAME = "lstmcast"
"""Name of the model's row in a table of scores."""


class VerdictViews:
    """The side of a verdict that people look at; the attributes are those of a `Verdict`."""

    model: dict[str, float]
    baselines: dict[str, dict[str, float]]
    skill: float

    @property
    def beats_baseline(self) -> bool:
        """Whether the model's error is below that of the best baseline."""
        return self.skill > 0

    @property
    def of_events(self) -> bool:
        """Whether the forecasts are probabilities of a 1."""
        return "brier" in self.model

    def sentences(self) -> list[str]:
        """The verdict for a reader who has never heard of any of these measures."""
        return describe_verdict(self)  # type: ignore[arg-type]

    def to_frame(self) -> "pd.DataFrame":
        """Return the scores as a frame: a row for the model and each baseline."""
        from lstmcast.panel.frames.native import make_frame  # pandas is slow to import

        return make_frame({MODEL_NAME: self.model, **self.baselines}, "method")

    def __repr__(self) -> str:
        figures: dict[str, Any] = {"skill": self.skill}
        figures |= {name: self.model[name] for name in list(self.model)[:3]}
        shown = ", ".join(f"{name} {value:.3g}" for name, value in figures.items())
        return f"<Verdict: {shown}>"

    def _repr_html_(self) -> str:
        names = list(self.model)
        head = "".join(f"<th>{escape(name)}</th>" for name in ["method", *names])
        rows = [f"<tr>{head}</tr>"]
        for method, scores in {MODEL_NAME: self.model, **self.baselines}.items():
            cells = "".join(_format_cell(scores.get(name)) for name in names)
            rows.append(f"<tr><th>{escape(method)}</th>{cells}</tr>")
        text = escape(" ".join(self.sentences()))
        return f"<p>{text}</p><table>{''.join(rows)}</table>"


def _format_cell(value: float | None) -> str:
    """A cell with a figure of four digits; empty where there is none."""
    is_missing = value is None or value != value  # NaN alone is not itself
    return f"<td>{'' if is_missing else f'{value:.4g}'}</td>"

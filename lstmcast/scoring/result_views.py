"""How a result looks: one line where Python shows it, sentences and a table in a notebook.

Knows no result in particular.
"""

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

MAX_SHOWN_ROWS = 10
"""Rows of a table that a notebook shows."""


class ResultView:
    """The side of a result that people look at.

    A result says what it is in `sentences`, and has its figures in `make_summary_table`.
    """

    def sentences(self) -> list[str]:
        """Return the result in words."""
        raise NotImplementedError

    def make_summary_table(self) -> "pd.DataFrame":
        """Return the figures that matter most, a row each; an empty table for none."""
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.sentences()[0]}>"

    def _repr_html_(self) -> str:
        head = f"<p><b>{type(self).__name__}</b></p>"
        text = f"<p>{escape(' '.join(self.sentences()))}</p>"
        table = self.make_summary_table()
        if not len(table):
            return head + text
        shown = table[:MAX_SHOWN_ROWS].to_html(
            index=False, border=0, na_rep="", float_format="{:.4g}".format
        )
        hidden = len(table) - MAX_SHOWN_ROWS
        more = f"<p>and {hidden:,} more rows</p>" if hidden > 0 else ""
        return head + text + shown + more


def count_things(count: int, unit: str) -> str:
    """Return a number of things in words: `1 row`, `1,200 rows`."""
    plural = "" if count == 1 else "s"
    return f"{count:,} {unit}{plural}"

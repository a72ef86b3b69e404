"""A result shows a line of text, and in a notebook its sentences and a short table."""

import pandas as pd

from lstmcast.scoring.result_views import MAX_SHOWN_ROWS, ResultView, count_things


class Found(ResultView):
    def __init__(self, rows: int) -> None:
        self.rows = rows

    def sentences(self) -> list[str]:
        return ["Two & two.", "More of it."]

    def make_summary_table(self) -> pd.DataFrame:
        return pd.DataFrame({"name": ["<b>"] * self.rows, "error": 1 / 3})


def test_a_line_has_the_kind_of_the_result_and_its_first_sentence() -> None:
    assert repr(Found(1)) == "<Found: Two & two.>"


def test_a_page_has_all_sentences_and_the_table_escaped() -> None:
    page = Found(1)._repr_html_()
    assert "<b>Found</b>" in page and "Two &amp; two. More of it." in page
    assert "<td>&lt;b&gt;</td>" in page and "<td>0.3333</td>" in page
    assert "more rows" not in page


def test_a_long_table_is_cut_and_says_so_and_an_empty_one_is_none() -> None:
    page = Found(MAX_SHOWN_ROWS + 3)._repr_html_()
    assert page.count("<td>0.3333</td>") == MAX_SHOWN_ROWS
    assert "and 3 more rows" in page
    assert "<table" not in Found(0)._repr_html_()


def test_one_thing_is_no_plural() -> None:
    assert [count_things(n, "row") for n in (1, 2000)] == ["1 row", "2,000 rows"]

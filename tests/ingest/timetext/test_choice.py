"""The layout of a column, decided over all of its rows."""

import pyarrow as pa

from lstmcast.ingest.timetext.choice import find_candidate_layouts


def test_layouts_that_only_some_texts_have_are_candidates() -> None:
    layouts = find_candidate_layouts(pa.array(["2024-01-01", "01.02.2024"]))
    assert "%Y-%m-%d" in layouts
    assert len(layouts) > 1

"""Categories that were known by some time: which columns a panel of the past has."""

import numpy as np
import pandas as pd

from lstmcast.panel.categories import drop_unseen_categories, with_columns_of
from lstmcast.panel.panel import Panel


def panel_with_categories() -> Panel:
    """Two series; the weather "hail" and the plan "sale" come late, "web" in the second only."""
    t = pd.date_range("2024-01-01", periods=8)
    parts = [
        pd.DataFrame(
            {
                "id": name,
                "t": t,
                "y": np.arange(8.0),
                "n": np.arange(8.0),
                "weather": ["sun", "rain"] * 3 + ["hail", "hail"],
                "plan": ["none"] * 7 + ["sale"],
                "kind": kind,
            }
        )
        for name, kind in (("a", "shop"), ("b", "web"))
    ]
    return Panel.from_frame(
        pd.concat(parts),
        target="y",
        time="t",
        series="id",
        past=("n", "weather"),
        future="plan",
        static="kind",
    )


def test_a_panel_that_has_all_categories_stays_as_it_is() -> None:
    panel = panel_with_categories()
    assert drop_unseen_categories(panel) is panel
    assert with_columns_of(panel, panel) is panel


def test_the_past_has_no_column_for_a_category_that_comes_later() -> None:
    whole = panel_with_categories()
    part = whole.head(np.array([6, 0]))
    assert part.past_names == ("n", "weather=hail", "weather=rain", "weather=sun")
    past = drop_unseen_categories(part)
    assert past.past_names == ("n", "weather=rain", "weather=sun")
    assert past.future_names == ("plan=none",)
    assert past.static_names == ("kind=shop",)
    assert past.encodings == {
        "weather": ["rain", "sun"],
        "plan": ["none"],
        "kind": ["shop"],
    }
    assert past.past.shape == (6, 3)
    # Rows of the plan beyond the end stay; the new category is none of the known ones there.
    assert past.future[:, 0].tolist() == [1] * 7 + [0]
    assert whole.encodings["weather"] == ["hail", "rain", "sun"]

    narrow = with_columns_of(whole, past)
    assert narrow.covariates == past.covariates
    assert len(narrow.values) == len(whole.values)

"""Columns of the calendar are proposed as known ahead, and those that leak are not proposed."""

import numpy as np
import pandas as pd

from lstmcast.config import Columns, DataConfig
from lstmcast.inspection.columns import profile_columns, with_column_roles
from lstmcast.inspection.findings import inspect_panel
from lstmcast.inspection.table_findings import find_in_table
from lstmcast.panel.panel import Panel
from lstmcast.tables.table import Table


def test_each_column_gets_the_role_that_its_values_allow() -> None:
    rng = np.random.default_rng(0)
    t = pd.date_range("2024-01-01", periods=200)
    frame = pd.DataFrame({"t": t, "y": rng.normal(50, 9, 200)})
    frame.loc[[3, 70, 199], "y"] = -999
    frame["day"] = t.day_of_week
    frame["copy"] = frame["y"] * 2
    frame["heat"] = rng.normal(size=200)
    table = Table(frame, "frame")
    panel = Panel.from_table(table, Columns(("y",), ("t",)))
    profiles = with_column_roles(
        table, profile_columns(table), panel.columns, DataConfig()
    )
    seen = find_in_table(table, panel, profiles, {}, DataConfig())
    could = {profile.name: profile.could for profile in seen.profiles}
    assert (could["day"], could["copy"], could["heat"]) == (
        ("future",),
        (),
        ("past", "target"),
    )
    assert seen.target_sentinels == [-999]

    found = seen.add_to(inspect_panel(panel, sentinels=seen.target_sentinels))
    names = [finding.name for finding in found.findings]
    assert names[:2] == ["target", "series"] and names[-1] == "horizon"
    assert {"sentinel", "calendar", "suspicious"} <= set(names)
    # What means missing is no outlier.
    by_name = {finding.name: finding for finding in found.findings}
    assert by_name["outliers"].figures["count"] == 0

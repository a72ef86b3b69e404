"""The policy of pages names our own stylesheet and script, and templates escape."""

from lstmcast.reporting.pages.page import load_template, make_policy, read_asset


def test_without_a_script_none_is_allowed() -> None:
    assert "script-src" not in make_policy("a {}", "")
    assert "default-src 'none'" in make_policy("a {}", "")


def test_templates_and_assets_are_there() -> None:
    assert load_template("chart.html.jinja") and load_template("report.html.jinja")
    assert "use strict" in read_asset("report.js")

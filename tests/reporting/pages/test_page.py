"""The policy of pages names our own stylesheet and script, and templates escape."""

from lstmcast.reporting.pages.page import (
    join_scripts,
    load_template,
    make_policy,
    read_asset,
)


def test_without_a_script_none_is_allowed() -> None:
    assert "script-src" not in make_policy("a {}", "")
    assert "default-src 'none'" in make_policy("a {}", "")


def test_templates_and_assets_are_there() -> None:
    assert load_template("chart.html.jinja") and load_template("report.html.jinja")
    assert "use strict" in read_asset("report.js")


def test_scripts_of_charts_begin_with_what_they_share() -> None:
    script = join_scripts("report.js", "detection.js")
    parts = [read_asset(name) for name in ("chart_parts.js", "report.js")]
    assert script.startswith("\n".join(parts))
    assert script.endswith(read_asset("detection.js"))

"""The table of names: whole, and in step with the Unicode CLDR where babel is there to ask."""

import pytest

from lstmcast.timeaxis.language.month_table import LANGUAGES, MONTHS, WEEKDAYS


def test_each_language_has_whole_lists_of_different_names() -> None:
    assert MONTHS.keys() == WEEKDAYS.keys() == LANGUAGES.keys()
    for language in LANGUAGES:
        for lines, count in ((MONTHS[language], 12), (WEEKDAYS[language], 7)):
            for line in lines:
                names = line.split("|")
                assert len(set(names)) == len(names) == count, line
                assert not set("(),=") & set(line)


def test_full_names_are_those_of_the_cldr() -> None:
    babel = pytest.importorskip(
        "babel", reason="needs babel, which the table was made from"
    )
    for language in LANGUAGES:
        wide = babel.Locale(language).months["stand-alone"]["wide"]
        known = {name for line in MONTHS[language] for name in line.split("|")}
        assert {wide[month] for month in range(1, 13)} <= known, language

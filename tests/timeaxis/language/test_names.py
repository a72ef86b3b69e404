"""Names of months and weekdays: folded, looked up, and spelled as a column spells them."""

import pytest

from lstmcast.timeaxis.language.month_table import LANGUAGES, MONTHS, WEEKDAYS
from lstmcast.timeaxis.language.names import (
    find_languages_of_month,
    fold_name,
    is_month_or_weekday,
    learn_month_names,
    learn_weekday_names,
    month_numbers,
    weekday_numbers,
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_name_of_a_language_is_its_own_month_in_any_case(language: str) -> None:
    for spelling in MONTHS[language]:
        for month, name in enumerate(spelling.split("|"), start=1):
            for word in (name, name.upper(), name.lower(), f"{name}."):
                assert month_numbers(language)[fold_name(word)] == month, word


@pytest.mark.parametrize("language", LANGUAGES)
def test_full_names_of_weekdays_are_their_own(language: str) -> None:
    for weekday, name in enumerate(WEEKDAYS[language][0].split("|")):
        assert weekday_numbers(language)[fold_name(name)] == weekday


def test_case_accents_and_dots_do_not_matter() -> None:
    words = ("Févr.", "FEVR", "févr", "fevr.")
    assert {fold_name(word) for word in words} == {"fevr"}
    assert fold_name("EKİM") == fold_name("Ekim")
    assert fold_name("KASIM") == fold_name("Kasım")


def test_a_word_is_a_month_in_each_language_that_has_it() -> None:
    assert find_languages_of_month("lis") == ["pl", "cs", "hr"]
    assert find_languages_of_month("Ağustos") == ["tr"]
    assert find_languages_of_month("store") == []
    assert is_month_or_weekday("segunda-feira")
    assert not is_month_or_weekday("sku")


@pytest.mark.parametrize(
    ("language", "seen", "month", "name"),
    [
        ("pt", {12: "dez", 9: "set"}, 2, "fev"),
        ("pt", {12: "DEZ"}, 2, "FEV"),
        ("pt", {12: "Dezembro"}, 3, "Março"),
        ("pt", {3: "marco", 12: "dezembro"}, 2, "fevereiro"),
        ("fr", {1: "janv.", 3: "mars"}, 2, "févr."),
        ("fr", {2: "fevr.", 3: "mars"}, 12, "dec."),
        ("es", {9: "sep", 1: "ene"}, 8, "ago"),
        ("ru", {1: "января"}, 3, "марта"),
        ("ru", {1: "январь"}, 3, "март"),
    ],
)
def test_months_that_are_not_seen_are_spelled_like_the_others(
    language: str, seen: dict[int, str], month: int, name: str
) -> None:
    names = learn_month_names(language, seen)
    assert names[month - 1] == name
    assert all(names[number - 1] == word for number, word in seen.items())


def test_weekdays_are_spelled_like_the_others() -> None:
    assert learn_weekday_names("de", {0: "Mo.", 1: "Di."})[2] == "Mi."
    assert learn_weekday_names("de", {0: "MONTAG"})[1] == "DIENSTAG"

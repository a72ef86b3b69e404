"""Which month or weekday a word means in a language, and how a column spells its names.

Words are compared without case, accents and dots. Months count from 1, weekdays from 0 (Monday).
"""

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache

from lstmcast.timeaxis.language.month_table import LANGUAGES, MONTHS, WEEKDAYS

_LETTERS_WITHOUT_MARKS = str.maketrans({"ı": "i", "ø": "o", "đ": "d", "ʼ": "", "’": ""})
"""Letters that Unicode does not take apart into a letter and its accent."""
_ACCENTS = {chr(code) for code in (*range(0x300, 0x370), 0x654, 0x655)}
"""Marks on Latin, Greek, Cyrillic and Arabic letters; those of Hindi are vowels."""
_DOTS = ".॰"


def fold_name(word: str) -> str:
    """A word without case, accents and dots."""
    without_accents = _strip_accents(word.strip().rstrip(_DOTS))
    # A dotted capital I folds to an i with a dot above, so accents go once more.
    folded = _strip_accents(without_accents.casefold())
    return folded.translate(_LETTERS_WITHOUT_MARKS)


def _strip_accents(word: str) -> str:
    parts = unicodedata.normalize("NFKD", word)
    kept = [part for part in parts if part not in _ACCENTS]
    return unicodedata.normalize("NFC", "".join(kept))


@cache
def month_numbers(language: str) -> Mapping[str, int]:
    """Month of the year, from 1, of each folded name in a language."""
    numbers: dict[str, int] = {}
    for spelling in MONTHS[language]:
        for month, name in enumerate(spelling.split("|"), start=1):
            numbers.setdefault(fold_name(name), month)
    return numbers


@cache
def weekday_numbers(language: str) -> Mapping[str, int]:
    """Weekday, from 0 for Monday, of each folded name in a language."""
    numbers: dict[str, int] = {}
    for spelling in WEEKDAYS[language]:
        for weekday, name in enumerate(spelling.split("|")):
            numbers.setdefault(fold_name(name), weekday)
    return numbers


def find_languages_of_month(word: str) -> list[str]:
    """The languages in which a word is the name of a month, the most widely written first."""
    folded = fold_name(word)
    return [language for language in LANGUAGES if folded in month_numbers(language)]


def is_month_or_weekday(word: str) -> bool:
    """Whether a word names a month or a weekday in any of the languages."""
    folded = fold_name(word)
    for language in LANGUAGES:
        if folded in month_numbers(language) or folded in weekday_numbers(language):
            return True
    return False


def learn_month_names(language: str, seen: Mapping[int, str]) -> tuple[str, ...]:
    """How a column that spells some months (from 1) like `seen` spells all twelve."""
    return _learn_names(MONTHS[language], {key - 1: seen[key] for key in seen})


def learn_weekday_names(language: str, seen: Mapping[int, str]) -> tuple[str, ...]:
    """How a column that spells some weekdays (from 0) like `seen` spells all seven."""
    return _learn_names(WEEKDAYS[language], seen)


def _learn_names(spellings: Sequence[str], seen: Mapping[int, str]) -> tuple[str, ...]:
    """The names of the spelling that is most like the seen ones, in their style."""
    lists = [spelling.split("|") for spelling in spellings]

    def count_agreeing(names: list[str]) -> int:
        same = [fold_name(names[at]) == fold_name(word) for at, word in seen.items()]
        return sum(same)

    usual = max(lists, key=count_agreeing)
    longest = [max(names, key=len) for names in zip(*lists, strict=True)]

    words = list(seen.values())
    with_dots = any(word[-1] in _DOTS for word in words)
    accents_dropped = _drops_accents(usual, seen)

    names = []
    for at, name in enumerate(usual):
        if at in seen:
            names.append(seen[at])
            continue
        styled = _strip_accents(name) if accents_dropped else name
        styled = _copy_case(styled, words)
        is_abbreviated = len(name) < len(longest[at])
        names.append(styled + "." if with_dots and is_abbreviated else styled)
    return tuple(names)


def _drops_accents(names: Sequence[str], seen: Mapping[int, str]) -> bool:
    """Whether some seen name lacks the accent that it should have."""
    for at, word in seen.items():
        plain = _strip_accents(names[at])
        bare = word.rstrip(_DOTS).casefold()
        if plain != names[at] and bare == plain.casefold():
            return True
    return False


def _copy_case(name: str, words: Sequence[str]) -> str:
    """A name in small letters, capitals or with one capital, as all of the words are."""
    if all(word.isupper() for word in words):
        return name.upper()
    if all(word.islower() for word in words):
        return name.lower()
    if all(word[:1].isupper() for word in words):
        return name[:1].upper() + name[1:]
    return name

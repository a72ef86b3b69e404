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
    bare = "".join(kept)
    # Letters of Korean are taken apart as well: they are put together again.
    return unicodedata.normalize("NFC", bare)


@cache
def month_numbers(language: str) -> Mapping[str, int]:
    """Month of the year, from 1, of each folded name in a language."""
    numbers: dict[str, int] = {}
    for spelling in MONTHS[language]:
        names = spelling.split("|")
        for month, name in enumerate(names, start=1):
            folded = fold_name(name)
            # Where spellings disagree, the one that is listed first decides.
            numbers.setdefault(folded, month)
    return numbers


@cache
def weekday_numbers(language: str) -> Mapping[str, int]:
    """Weekday, from 0 for Monday, of each folded name in a language."""
    numbers: dict[str, int] = {}
    for spelling in WEEKDAYS[language]:
        names = spelling.split("|")
        for weekday, name in enumerate(names):
            folded = fold_name(name)
            numbers.setdefault(folded, weekday)
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
    seen_from_0 = {month - 1: word for month, word in seen.items()}
    return _learn_names(MONTHS[language], seen_from_0)


def learn_weekday_names(language: str, seen: Mapping[int, str]) -> tuple[str, ...]:
    """How a column that spells some weekdays (from 0) like `seen` spells all seven."""
    return _learn_names(WEEKDAYS[language], seen)


def _learn_names(spellings: Sequence[str], seen: Mapping[int, str]) -> tuple[str, ...]:
    """The names of the spelling that is most like the seen ones, in their style."""
    lists = [spelling.split("|") for spelling in spellings]

    def count_agreeing(names: list[str]) -> int:
        count = 0
        for at, word in seen.items():
            if fold_name(names[at]) == fold_name(word):
                count += 1
        return count

    usual = max(lists, key=count_agreeing)
    names_by_place = zip(*lists, strict=True)
    longest = [max(names, key=len) for names in names_by_place]

    words = list(seen.values())
    with_dots = any(word[-1] in _DOTS for word in words)
    accents_dropped = _drops_accents(usual, seen)

    learned = []
    for at, name in enumerate(usual):
        if at in seen:
            learned.append(seen[at])
            continue

        styled = _strip_accents(name) if accents_dropped else name
        styled = _copy_case(styled, words)

        # A name that is written out has no dot, as May beside Jan.
        is_abbreviated = len(name) < len(longest[at])
        if with_dots and is_abbreviated:
            styled += "."
        learned.append(styled)
    return tuple(learned)


def _drops_accents(names: Sequence[str], seen: Mapping[int, str]) -> bool:
    """Whether some seen name lacks the accent that it should have."""
    for at, word in seen.items():
        name = names[at]
        plain = _strip_accents(name)
        has_accent = plain != name
        bare = word.rstrip(_DOTS).casefold()
        if has_accent and bare == plain.casefold():
            return True
    return False


def _copy_case(name: str, words: Sequence[str]) -> str:
    """A name in small letters, capitals or with one capital, as all of the words are."""
    if all(word.isupper() for word in words):
        return name.upper()
    if all(word.islower() for word in words):
        return name.lower()

    if all(word[:1].isupper() for word in words):
        first_letter = name[:1].upper()
        return first_letter + name[1:]
    return name

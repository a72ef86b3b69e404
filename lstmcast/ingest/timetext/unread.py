"""Whether texts could be times that were not understood, rather than names or classes.

Rows of such a column are not taken in the order in which they stand: they may stand newest first.

Axes: n texts.
"""

import re
from collections.abc import Sequence

from lstmcast.ingest.timetext.column_names import is_likely_time_name
from lstmcast.timeaxis.language.names import fold_name, is_month_or_weekday
from lstmcast.timeaxis.language.zone_names import is_zone_name

_TIME_WORDS = {
    *(
        "t",
        "z",
        "am",
        "pm",
        "w",
        "wk",
        "week",
        "kw",
        "cw",
        "q",
        "qtr",
        "quarter",
        "h",
        "fy",
    ),
    *(
        "year",
        "month",
        "day",
        "hour",
        "uhr",
        "de",
        "del",
        "of",
        "the",
        "to",
        "bis",
        "den",
    ),
    *(
        "le",
        "um",
        "at",
        "jahr",
        "monat",
        "woche",
        "quartal",
        "semana",
        "semaine",
        "trim",
    ),
    *(
        "trimestre",
        "ano",
        "an",
        "mes",
        "mois",
        "st",
        "nd",
        "rd",
        "th",
        "er",
        "年",
        "月",
        "日",
    ),
    *("时", "時", "分", "秒", "년", "월", "일", "г", "р"),
}
"""Words that stand in dates beside names of months, weekdays and zones; folded."""
_MAX_TEXTS = 500
_MIN_ROWS = 4
_MOST = 0.9
_MAX_PERIODS = 12
"""Most different words that number the parts of a year."""
_YEAR = re.compile(r"(?<!\d)(?:1[89]|20|21)\d\d(?!\d)")
_WORD_AND_YEAR = re.compile(r"([^\d]+?)[ ./_'-]*(\d{2}|\d{4})")


def could_be_times(name: str, texts: Sequence[str], *, unique: bool) -> bool:
    """Whether texts of a column look like times in a form that is not known.

    name: of the column. texts: the first of its different cells. unique: whether hardly one comes
    twice in a series, as stamps do not.
    """
    some = [text for text in texts[:_MAX_TEXTS] if text]
    if not unique or len(some) < _MIN_ROWS:
        return False

    # The name alone says it, unless the texts are plain words, as classes are.
    if is_likely_time_name(name) and not _are_names(some):
        return True

    # A few texts may be anything, as a note of missing data is.
    dated = [text for text in some if _is_like_date(text)]
    if len(dated) >= _MOST * len(some):
        return True
    return _counts_through_years(some)


def _are_names(texts: Sequence[str]) -> bool:
    """Whether most texts hold no digit, and no name of a month: classes, not times."""
    plain = [text for text in texts if not re.search(r"\d", text)]
    if len(plain) < _MOST * len(texts):
        return False

    # One text shows it: where one names a month, the others do so too.
    return not any(is_month_or_weekday(word) for word in _words(plain[0]))


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text)


def _is_like_date(text: str) -> bool:
    """Whether a text holds a year and another short number or a month, and only words of dates."""
    has_month = False
    for word in _words(text):
        if is_month_or_weekday(word):
            has_month = True
            continue
        is_known = fold_name(word) in _TIME_WORDS or is_zone_name(word)
        if not is_known:
            return False

    numbers = re.findall(r"\d+", text)
    if has_month and numbers:
        return True

    # Without a month's name, a year needs its month or week beside it.
    if not _YEAR.search(text) or len(numbers) < 2:
        return False

    # A long number counts something else, as in 2020-00013.
    lengths = [len(number) for number in numbers[:3]]
    return max(lengths) <= 4


def _counts_through_years(texts: Sequence[str]) -> bool:
    """Whether a few words come again and again beside numbers that only rise, or only fall."""
    words: set[str] = set()
    numbers: list[int] = []
    for text in texts:
        pair = _WORD_AND_YEAR.fullmatch(text)
        if pair:
            words.add(pair[1])
            numbers.append(int(pair[2]))

    # A word and a number are common beyond dates, so that more rows must show it.
    if len(numbers) < _MOST * len(texts) or len(numbers) < 2 * _MIN_ROWS:
        return False

    has_periods = 2 <= len(words) <= _MAX_PERIODS
    has_years = len(set(numbers)) >= 2
    if not has_periods or not has_years:
        return False

    neighbours = zip(numbers, numbers[1:], strict=False)
    steps = {later - earlier for earlier, later in neighbours}
    is_rising = steps <= {0, 1}
    is_falling = steps <= {0, -1}
    return is_rising or is_falling

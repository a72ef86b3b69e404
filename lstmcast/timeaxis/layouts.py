"""Which layouts a written date may follow, the usual ones first.

Dates in English and in digits are looked up in lists. Names of periods like "FY08Q1" or "KW05/2021"
and names of months in other languages are taken apart instead, since people put them together in
more ways than a list could hold. Knows no tables.
"""

import re
from collections.abc import Iterator, Sequence

from lstmcast.timeaxis.formats import format_to_regex

_NAMED_MONTH_FORMATS = (
    *("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y"),
    *("%d %b, %Y", "%d. %b %Y", "%Y %b %d", "%Y-%b-%d", "%d%b%Y"),
    *("%b %Y", "%b-%Y", "%b-%y", "%b, %Y"),
    *("%Y %b", "%Y-%b", "%a %d %b %Y", "%a, %d %b %Y", "%a %b %d %Y", "%a, %b %d, %Y"),
    *("%a, %b %d %Y", "%A, %b %d, %Y", "%A, %d %b %Y", "%A %d %b %Y"),
    *("%d.%b.%Y", "%d %b %y", "%d/%b/%y", "%d%b%y", "%b/%Y", "%b/%y", "%b %y"),
    *("%b'%y", "%b %d, %y", "%b%Y", "%b_%Y", "%b.%Y", "%Y/%b", "%Y%b", "%Y_%b"),
)
DATE_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),
    *("%m/%Y", "%m-%Y", "%m.%Y", "%Y %m %d", "%d %m %Y", "%Y_%m_%d", "%Y_%m"),
    *_NAMED_MONTH_FORMATS,
    *(layout.replace("%b", "%B") for layout in _NAMED_MONTH_FORMATS),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Yq%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y"),
    *("Q%q %y", "%qQ%y"),
    *("%YM%m", "%Y-M%m", "%Ym%m", "%Y M%m", "M%m %Y", "M%m-%Y"),
    *("%G-W%V", "%GW%V", "%G W%V", "W%V %G", "W%V-%G", "W%V/%G", "%G-W%V-%u", "%Y-%j"),
    *("%Y年%m月%d日", "%Y年%m月", "%Y年", "%Y年 %m月 %d日", "%Y年 %m月", "%y年%m月"),
    *(
        "%Y년 %m월 %d일",
        "%Y년 %m월",
        "%Y년%m월%d일",
        "%Y년%m월",
        "%Y. %m. %d.",
        "%Y.%m.%d.",
    ),
    *(
        "tháng %m %Y",
        "Tháng %m %Y",
        "tháng %m năm %Y",
        "Tháng %m năm %Y",
        "Tháng %m/%Y",
    ),
    *("ngày %d tháng %m năm %Y", "%d tháng %m, %Y", "%d tháng %m năm %Y"),
    *("%Y. %m. %d", "%d. %m. %Y", "%d.%m.%Y."),
)
"""Layouts of dates without a time of day, the usual ones first."""
TIMESTAMP_FORMATS = (
    *("%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M", "%Y%m%dT%H%MZ", "%Y%m%dT%HZ"),
    *("%Y%m%d_%H%M%S", "%Y%m%d %H%M", "%Y-%m-%d_%H-%M-%S", "%Y-%m-%d-%H"),
    *("%a %b %d %H:%M:%S %Y", "%a %b %_d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %-z"),
    *("%a %b %d %H:%M:%S UTC %Y", "%a %b %_d %H:%M:%S UTC %Y"),
    *("%a %b %d %H:%M:%S GMT %Y", "%a %b %_d %H:%M:%S GMT %Y"),
    *("%a %b %d %H:%M:%S %Y %-z", "%a %b %d %Y %H:%M:%S GMT%-z"),
    *("%Y年%m月%d日%H时", "%Y年%m月%d日%H时%M分", "%Y年%m月%d日%H时%M分%S秒"),
    *(
        "%Y年%m月%d日%H時",
        "%Y年%m月%d日%H時%M分",
        "%Y年%m月%d日 %H時%M分",
        "%Y年%m月%d日 %H时%M分",
    ),
    *("%Y년 %m월 %d일 %H시", "%Y년 %m월 %d일 %H시 %M분"),
)
"""Dates with a time of day that is not simply put behind."""
_NAMED_CLOCK_FORMATS = ("%a %b %d %H:%M:%S %Z %Y", "%a %b %_d %H:%M:%S %Z %Y")
"""As the command `date` prints them."""
YEAR_NUMBER_FORMAT = "%N-%m"
"""A year number and a month ("3-12"): tried where nothing else fits."""
_FORMATS_ELSEWHERE = (
    *(
        "%d de %b de %Y",
        "%d de %b %Y",
        "%d de %b, %Y",
        "%d de %b del %Y",
        "%d %b de %Y",
    ),
    *("%b de %Y", "%b del %Y", "%b de %y", "%a, %d de %b de %Y", "%a %d de %b de %Y"),
    *("%a %d de %b %Y", "%a, %d. %b %Y", "%a %d. %b %Y", "%d.%b %Y", "%d. %b, %Y"),
    *(
        "%a den %d. %b %Y",
        "den %d. %b %Y",
        "den %d %b %Y",
        "le %d %b %Y",
        "%a le %d %b %Y",
    ),
    *("%Y. %b %d.", "%Y. %b %d", "%Y. %b", "%Y.%b.%d", "%Y, %b", "%d. %b %y", "%b. %Y"),
    *("%d %b %Y г.", "%b %Y г.", "%d %b %Y г", "%b %Y г", "%d %b %Y р.", "%b %Y р."),
    *("%Y m. %b %d d.", "%Y m. %b", "%Y. gada %d. %b", "%b.%y", "%b%y", "%d.%b.%y"),
    *("%der %b %Y", "%dº de %b de %Y", "%a, %Y. %b %d.", "%a, %b %Y"),
)
"""Layouts of dates with names that are not usual in English."""
_DATE_AND_CLOCK = re.compile(
    r"(?P<date>.*?\S)(?P<gap>, | - |[T ])"
    r"(?P<clock>\d{1,2}(?:(?P<mark>[:.h])\d{2}(?:(?P=mark)\d{2}(?P<fraction>[.,]\d{1,9})?)?)?"
    r"(?P<half> ?[AaPp][Mm])?)"
    r"(?P<zone> ?UTC| ?GMT|Z| ?[+-]\d{2}(?::?\d{2})?| [A-Z]{2,5})?"
)
_PERIOD_WORDS = {
    "q": r"Q|T|K|Qtr|Quarter|Quartal|Kwartaal|Trim|Trimestre|Trimester|Trimestr|кв|квартал",
    "V": r"W|Wk|Week|KW|CW|Woche|S|Sem|Semana|Semaine|Settimana|Uke|Vecka|v|неделя",
    "U": r"EW|Epiweek|MMWR",
    "h": r"H|HY|Half|S|Sem|Semestre|Semester|Halbjahr",
}
"""Words beside the number of a period, by its directive."""
_YEAR = r"(?:(?:FY|CY)[ -]?)?(?P<year>\d{4}|\d{2})"
_GAP = r"[ .,/_'-]{0,2}"
_PERIOD_PATTERNS = (
    rf"{_YEAR}{_GAP}(?:WORD){_GAP}(?P<number>\d{{1,2}})",
    rf"(?:WORD){_GAP}(?P<number>\d{{1,2}})(?:{_GAP}(?=\D)|[ .,/_'-]){_YEAR}",
    rf"(?P<number>\d{{1,2}})(?:\.|º|st|nd|rd|th)? ?(?:WORD){_GAP}(?:de )?{_YEAR}",
    rf"{_YEAR}[ .,/_'-](?P<number>\d{{1,2}})\.? ?(?:WORD)",
)
"""A year and the number of a period with its word, in the orders in which people write them."""
_WEEK_YEARS = {"V": "%G", "U": "%E"}
_FISCAL_YEAR = re.compile(r"((?:FY|CY)[ -]?)(\d{4}|\d{2})", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f\u0900-\u097f])*(?:-feira)?")


def match_formats(text: str) -> list[str]:
    """Layouts that one text may follow, the usual ones first."""
    if len(text) > _MAX_LENGTH or not re.search(r"\d", text):
        return []

    layouts = _match_listed(text, DATE_FORMATS)
    if layouts:
        return layouts

    layouts = [*_match_periods(text), *_match_other_languages(text)]
    return layouts or _select_matching((YEAR_NUMBER_FORMAT,), text)


_MAX_LENGTH = 100
"""No date is longer; names of months are looked for in no text that is."""


def _match_listed(text: str, dates: Sequence[str]) -> list[str]:
    layouts = _select_matching((*dates, *TIMESTAMP_FORMATS), text)
    if not layouts and _names_clock(text.split()[-2:-1]):
        layouts = _select_matching(_NAMED_CLOCK_FORMATS, text)

    timed = _DATE_AND_CLOCK.fullmatch(text)
    if not timed:
        return layouts

    clock = _infer_clock_format(timed)
    if not clock:
        return layouts

    # A time of day is of a day: behind a month it would be something else.
    found = _select_matching(dates, timed["date"])
    with_day = [date for date in found if has_day(date)]
    layouts += [date + timed["gap"] + clock for date in with_day]
    return layouts


def has_day(layout: str) -> bool:
    """Whether a layout says the day, so that a time of day may stand beside it."""
    return re.search("%[-_]?[dju]", layout) is not None


def is_short_period(layout: str) -> bool:
    """Whether a layout is of a period and a year of two digits, which names may look like."""
    has_short_year = "%y" in layout
    period = re.search("%[-_]?[qhVU]", layout)
    return has_short_year and period is not None


def _select_matching(layouts: Sequence[str], text: str) -> list[str]:
    matching = []
    for layout in layouts:
        pattern = format_to_regex(layout)
        if re.match(pattern, text):
            matching.append(layout)
    return matching


def _names_clock(words: Sequence[str]) -> bool:
    """Whether the only one of some words is the name of a clock, like EST."""
    if not words or not re.fullmatch("[A-Z]{2,5}", words[0]):
        return False
    from lstmcast.timeaxis.language.zone_names import is_zone_name

    return is_zone_name(words[0])


def _infer_clock_format(match: re.Match[str]) -> str:
    """Layout of the time of day in a match of `_DATE_AND_CLOCK`; "" where it is none."""
    layout = "%I" if match["half"] else "%H"

    mark = match["mark"]
    if mark:
        layout += mark + "%M"
        # A dot before a fraction of a second is no further mark of 10.30.15.
        fraction = match["fraction"] or ""
        marks = match["clock"].count(mark) - fraction.count(mark)
        if marks == 2:
            layout += mark + "%S"
    if match["fraction"]:
        layout += match["fraction"][0] + "%f"
    if match["half"]:
        layout += match["half"][:-2] + "%p"  # with the blank before it, if there is one

    zone = match["zone"] or ""
    offset = zone.strip()
    # Marks of UTC are no field: they stand in the layout as they are.
    if offset in ("", "UTC", "GMT", "Z"):
        return layout + zone
    if offset.isalpha():
        return layout + " %Z" if _names_clock([offset]) else ""

    if zone.startswith(" "):
        layout += " "
    if len(offset) == len("+01"):
        return layout + "%O"
    return layout + ("%z" if ":" in offset else "%-z")


def _match_periods(text: str) -> list[str]:
    """Layouts of a text that names a quarter, week or half-year beside a year, like "FY08Q1"."""
    layouts: dict[str, None] = {}
    for code, words in _PERIOD_WORDS.items():
        for pattern in _PERIOD_PATTERNS:
            with_words = pattern.replace("WORD", words)
            match = re.fullmatch(with_words, text, re.IGNORECASE)
            if not match:
                continue

            # The number may be none of the period, as that of a fifth quarter.
            layout = _replace_period(match, code)
            matching = _select_matching((layout,), text)
            layouts.update(dict.fromkeys(matching))

    fiscal = _FISCAL_YEAR.fullmatch(text)
    if fiscal:
        year = "%Y" if len(fiscal[2]) == 4 else "%y"
        layouts[fiscal[1] + year] = None
    return list(layouts)


def _replace_period(match: re.Match[str], code: str) -> str:
    """The text of a match with directives in the places of its year and number."""
    has_century = len(match["year"]) == 4
    year = _WEEK_YEARS.get(code, "%Y") if has_century else "%y"
    spans = [
        (match.span("year"), year),
        (match.span("number"), f"%{code}"),
    ]

    # From the end, so that the places of what is before stay right.
    layout = match.string
    for (begin, end), directive in sorted(spans, reverse=True):
        before = layout[:begin]
        after = layout[end:]
        layout = before + directive + after
    return layout


def _match_other_languages(text: str) -> list[str]:
    """Layouts with the code of a language in front, of a text that names a month in it."""
    words = list(_WORD.finditer(text))
    if not words:
        return []

    from lstmcast.timeaxis.language.names import find_languages_of_month

    layouts: dict[str, None] = {}
    for place, word in enumerate(words):
        for language in find_languages_of_month(word[0]):
            for plain in _write_in_english(text, words, place, language):
                for layout in _match_listed(plain, _ALL_NAMED_FORMATS):
                    layouts[f"{language}:{layout}"] = None
    return list(layouts)


_ALL_NAMED_FORMATS = (*_NAMED_MONTH_FORMATS, *_FORMATS_ELSEWHERE)


def _write_in_english(
    text: str, words: Sequence[re.Match[str]], month: int, language: str
) -> Iterator[str]:
    """The text with one word as "Jan", and those before it that name a weekday as "Mon".

    Only their place matters, since the layout is the same for every month.
    """
    from lstmcast.timeaxis.language.names import fold_name, weekday_numbers

    weekdays = weekday_numbers(language)
    plain = text
    # From the end, so that the places of the words before stay right.
    for place in reversed(range(len(words))):
        word = words[place]
        if place == month:
            english = "Jan"
        elif fold_name(word[0]) in weekdays:
            english = "Mon"
        else:
            continue

        # The dot of an abbreviation belongs to the name.
        end = word.end()
        if text[end : end + 1] in (".", "॰"):
            end += 1
        before = plain[: word.start()]
        plain = before + english + plain[end:]
    yield plain

    # A dot behind the name may part it from the next number instead.
    name = words[month]
    rest = text[name.end() :]
    if rest.startswith(".") and len(words) == 1:
        before = text[: name.start()]
        yield before + "Jan" + rest

"""Names of columns that mean a time or a part of one, in the large languages."""

import re

_DATE_WORDS = (
    r"date|datum|fecha|dato|tarih|дата|日期|日付|날짜|timestamp|zeitpunkt|zeitstempel"
)
# Words like "hora" mean an hour and a time of day alike.
_TIME_WORDS = r"time|zeit|uhrzeit|hora|heure|ora|tijd|tid|время|时间|時間|시간"
_YEAR_WORDS = (
    r"year|yr|yyyy|jahr|a[nñ]o|ann?[eé]e|anno|ano|jaar|rok|год|år|yil|yıl|年|연도|年份"
)
_QUARTER_WORDS = (
    r"quarter|qtr|q|quartal|trimestre|kwartaal|kwarta[lł]|квартал|季度|四半期|분기"
)
_HALF_WORDS = r"half|half.?year|semestre|halbjahr"
_MONTH_WORDS = (
    r"month|mon|mm|mes|m[eê]s|mois|monat|mese|maand|miesi[aą]c|m[eě]s[ií]c|m[aå]ned|"
    r"m[aå]nad|месяц|bulan|ay|月|월|月份"
)
_WEEK_WORDS = (
    r"week|wk|w|iso.?week|week.?no|week.?num|week.?number|week.?of.?year|iso.?week.?of.?year|"
    r"kw|cw|kalenderwoche|woche|semana|sem|semaine|settimana|uke|vecka|uge|tydzie[nń]|týden|"
    r"недел[яи]|hafta|周|週|주"
)
_EPIDEMIC_WORDS = (
    r"epi.?week|mmwr.?week|cdc.?week|ew|epi.?wk|week.?epi|semana.?epidemiol.gica|se"
)
_DAY_OF_YEAR_WORDS = (
    r"doy|yday|day.?of.?year|julian|julian.?day|jday|jour.?de.?l.?ann[eé]e"
)
_DAY_WORDS = (
    r"day|dd|mday|day.?of.?month|tag|d[ií]a|jour|giorno|dag|"
    r"dzie[nń]|den|день|gün|hari|日|일"
)
_HOUR_WORDS = (
    r"hour|hr|hh|hours|hour.?of.?day|stunde|std|hora|heure|ora|uur|"
    r"godzina|час|saat|jam|時|时|시"
)
_HOUR_ENDING_WORDS = r"he|hour.?ending|hr.?end|hour.?end|hr.?ending"
_MINUTE_WORDS = r"minute|min|minuto|minuut|минута"
_SECOND_WORDS = r"second|sec|sekunde|segundo|seconde|секунда"

PARTS_BY_DIRECTIVE = {
    "Y": _YEAR_WORDS,
    "q": _QUARTER_WORDS,
    "U": _EPIDEMIC_WORDS,
    "V": _WEEK_WORDS,
    "m": _MONTH_WORDS,
    "j": _DAY_OF_YEAR_WORDS,
    "d": _DAY_WORDS,
    "H": _HOUR_WORDS,
    "k": _HOUR_ENDING_WORDS,
    "M": _MINUTE_WORDS,
    "S": _SECOND_WORDS,
}
"""Names of the columns that a date is split over, by directive."""
_PARTS = {
    directive: re.compile(words, re.IGNORECASE)
    for directive, words in PARTS_BY_DIRECTIVE.items()
}
# Columns like year_week hold both in one text.
_PREFIXED_WEEK = re.compile(
    rf"(?:year|yr|yyyy)[ _-]?(?:{_WEEK_WORDS}|ww)", re.IGNORECASE
)
_PREFIXED_QUARTER = re.compile(
    rf"(?:year|yr|yyyy)[ _-]?(?:{_QUARTER_WORDS})", re.IGNORECASE
)
_CLOCK_NAME = re.compile(
    rf"{_TIME_WORDS}|{_HOUR_WORDS}|{_HOUR_ENDING_WORDS}|clock|time.?of.?day|minute",
    re.IGNORECASE,
)
_SURE_TIME_NAME = re.compile(
    r"t|ds|dt|date|time|date.?time|time.?stamp|steps?|year|fecha|datum|zeitpunkt|"
    r"zeitstempel|дата|日期|日付|날짜|fecha.?hora|tarih",
    re.IGNORECASE,
)
# A name like "data" is a date in some languages, and anything in others.
_LIKELY_TIME_NAME = re.compile(
    r"t|ds|dt|time.?|date.?time|date.?|time.?stamp|step|steps|yearmonth|index|idx|tick|"
    rf"per[ií]ode?|period|data|yyyy.?mm|{_DATE_WORDS}|{_TIME_WORDS}|{_YEAR_WORDS}|"
    rf"{_QUARTER_WORDS}|{_HALF_WORDS}|{_MONTH_WORDS}|{_WEEK_WORDS}|{_EPIDEMIC_WORDS}|"
    rf"{_DAY_OF_YEAR_WORDS}|{_DAY_WORDS}|{_HOUR_WORDS}",
    re.IGNORECASE,
)


def directive_of_part(name: str) -> str:
    """The directive of the part of a date that a column of this name holds; "" if none."""
    for directive, pattern in _PARTS.items():
        if pattern.fullmatch(name):
            return directive
    return ""


def is_sure_time_name(name: str) -> bool:
    """Whether a name means the time and nothing else: such a column is never ignored silently."""
    return _SURE_TIME_NAME.fullmatch(name) is not None


def is_likely_time_name(name: str) -> bool:
    """Whether a name may mean the time, if the values do not speak against it."""
    patterns = (_LIKELY_TIME_NAME, _PREFIXED_WEEK, _PREFIXED_QUARTER)
    return any(pattern.fullmatch(name) for pattern in patterns)


def is_clock_name(name: str) -> bool:
    """Whether a name may mean a time of day beside a column of days."""
    return _CLOCK_NAME.fullmatch(name) is not None


def is_hour_ending_name(name: str) -> bool:
    """Whether a column of this name counts hours from 1 to 24, by their ends."""
    return directive_of_part(name) == "k"


def period_of_name(name: str) -> str:
    """The directive of the period that a column's name says: "U", "V", "q", "m" or ""."""
    if _PREFIXED_WEEK.fullmatch(name):
        return "V"
    if _PREFIXED_QUARTER.fullmatch(name):
        return "q"

    # Other parts of a date, as a year or a day, could come with any of these periods.
    directive = directive_of_part(name)
    return directive if directive in ("U", "V", "q", "m") else ""

"""Layouts of written dates: which ones a text may follow, text to instants by one of them, and back again.

An instant is an int64 of microseconds since 1970. Layouts are written like strptime's, with `%-d`
for numbers without a leading zero, `%-f` for milliseconds, `%q` for a quarter, `%N` for a bare year
number, `%z` for an offset from UTC ("%-z" without a colon) and `%O` for one in hours. Independent
of the locale.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints

SECOND = 1_000_000
DAY = 86_400 * SECOND
MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_MONTH_ABBREVIATIONS = tuple(name[:3] for name in MONTH_NAMES)
_WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES_BY_DIRECTIVE = {
    "b": _MONTH_ABBREVIATIONS,
    "B": MONTH_NAMES,
    "a": tuple(name[:3] for name in _WEEKDAY_NAMES),
    "A": _WEEKDAY_NAMES,
}
_DIRECTIVE_PATTERNS = {
    "Y": r"\d{4}", "G": r"\d{4}", "y": r"\d{2}", "N": r"\d{1,3}", "m": r"\d{1,2}", "d": r"\d{1,2}", "j": r"\d{3}",
    "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,9}", "p": r"[AaPp][Mm]",
    "q": r"[1-4]", "V": r"\d{1,2}", "u": r"[1-7]", "z": r"(?:Z|[+-]\d{2}:?\d{2})", "O": r"[+-]\d{2}",
    **{code: "(?i:" + "|".join(names) + ")" for code, names in _NAMES_BY_DIRECTIVE.items()},
}  # fmt: skip
DATE_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%m/%Y", "%m-%Y", "%m.%Y", "%Y %m %d"),
    *(layout.replace("%b", name) for name in ("%b", "%B") for layout in (
        "%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%d %b, %Y",
        "%d. %b %Y", "%Y %b %d", "%Y-%b-%d", "%d%b%Y", "%b %Y", "%b-%Y", "%b-%y", "%b, %Y", "%Y %b", "%Y-%b",
        "%a %d %b %Y", "%a, %d %b %Y", "%a %b %d %Y", "%a, %b %d, %Y", "%a, %b %d %Y", "%A, %b %d, %Y",
        "%A, %d %b %Y", "%A %d %b %Y",
    )),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Yq%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y", "Q%q %y", "%qQ%y"),
    *("%YM%m", "%Y-M%m", "%Ym%m"),
    *("%G-W%V", "%GW%V", "%G W%V", "W%V %G", "W%V-%G", "W%V/%G", "%G-W%V-%u", "%Y-%j"),
)  # fmt: skip
TIMESTAMP_FORMATS = (
    *(
        "%Y%m%dT%H%M%S",
        "%Y%m%dT%H%M%SZ",
        "%Y%m%dT%H%M",
        "%Y%m%dT%H%MZ",
        "%Y%m%dT%HZ",
        "%Y%m%d_%H%M%S",
        "%Y%m%d %H%M",
    ),
    *("%Y-%m-%d_%H-%M-%S", "%Y-%m-%d-%H", "%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %-z"),
)
"""Dates with a time of day that is not simply put behind."""
YEAR_NUMBER_FORMAT = "%N-%m"
"""A year number and a month ("3-12"): tried where nothing else fits."""
_DATE_AND_CLOCK = re.compile(
    r"(?P<date>.*\S)(?P<gap>, |[T ])(?P<clock>\d{1,2}(?::\d{2}){0,2}(?P<part>\.\d{1,9})?(?P<half> ?[AaPp][Mm])?)"
    r"(?P<zone> ?UTC| ?GMT|Z| ?[+-]\d{2}(?::?\d{2})?)?"
)

_ISO_FORMAT = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%-?f)?)?Z?)?")


def split_directives(layout: str) -> list[str]:
    """The layout cut into directives like "%-d" and the literal text between them."""
    return [part for part in re.split(r"(%-?[A-Za-z%])", layout) if part]


@lru_cache(maxsize=256)
def format_to_regex(layout: str) -> str:
    """Regular expression (RE2 and Python) of a layout, one named group a directive; UsageError for unknown ones."""
    parts = split_directives(layout)
    coded = [part.startswith("%") and part != "%%" for part in parts]
    out = ["^"]
    for place, part in enumerate(parts):
        code = part[-1]
        if not coded[place]:
            out.append(re.escape("%" if part == "%%" else part).replace(r"\ ", " "))
            continue
        if code not in _DIRECTIVE_PATTERNS:
            known = ", ".join("%" + name for name in _DIRECTIVE_PATTERNS)
            raise UsageError(f"date format {layout!r}: {part} is not known", f"known are {known}")
        crowded = any(coded[i] for i in (place - 1, place + 1) if 0 <= i < len(parts))
        body = (
            _DIRECTIVE_PATTERNS[code].replace("{1,2}", "{2}")
            if crowded
            else _DIRECTIVE_PATTERNS[code]
        )
        out.append(f"(?P<{code}>{body})")
    return "".join(out) + "$"


def match_formats(text: str) -> list[str]:
    """Layouts that could be meant by one text, the usual ones first."""
    found = [
        layout
        for layout in DATE_FORMATS + TIMESTAMP_FORMATS
        if re.match(format_to_regex(layout), text)
    ]
    timed = _DATE_AND_CLOCK.fullmatch(text)
    if timed:
        dated = [
            layout for layout in DATE_FORMATS if re.match(format_to_regex(layout), timed["date"])
        ]
        found += [
            layout + timed["gap"] + _clock_format(timed) for layout in dated if "%d" in layout
        ]
    return found or (
        [YEAR_NUMBER_FORMAT] if re.match(format_to_regex(YEAR_NUMBER_FORMAT), text) else []
    )


def _clock_format(match: re.Match[str]) -> str:
    hour = "%I" if match["half"] else "%H"
    layout = hour + ":%M" * (":" in match["clock"]) + ":%S" * (match["clock"].count(":") == 2)
    layout += ".%f" * bool(match["part"]) + (match["half"] or "")[:-2] + "%p" * bool(match["half"])
    zone = match["zone"] or ""
    if zone.strip() in ("", "UTC", "GMT", "Z"):
        return layout + zone
    hours_only = len(zone.strip()) == 3
    return (
        layout
        + " " * zone.startswith(" ")
        + ("%O" if hours_only else "%z" if ":" in zone else "%-z")
    )


@dataclass(frozen=True)
class ParsedTimestamps:
    """Texts read by one layout: instants [n] (wall-clock), which were understood, their offsets in minutes if any."""

    instants: Ints
    good: Bools
    layout: str
    offsets: Ints | None = None

    def universal(self) -> Ints:
        """The instants in UTC."""
        return self.instants if self.offsets is None else self.instants - self.offsets * 60 * SECOND


def parse_timestamps(layout: str, texts: pa.Array) -> ParsedTimestamps:
    """Read `texts` by `layout`; days that do not exist are not good. The layout comes back with its padding."""
    bulk = _parse_iso_timestamps(layout, texts)
    if bulk:
        return bulk
    struct = pc.extract_regex(texts, pattern=format_to_regex(layout))
    groups = {
        struct.type.field(i).name: pc.struct_field(struct, [i])
        for i in range(struct.type.num_fields)
    }
    good = pc.is_valid(struct).to_numpy(zero_copy_only=False)
    parts = {
        code: _parse_directive(code, group) for code, group in groups.items() if code not in "aA"
    }
    instants, exists = instants_from_fields(parts)
    offsets = parts.get("z", parts.get("O"))
    for code in ("m", "d", "H", "I", "V"):
        shortest = (
            pc.min(pc.utf8_length(pc.filter(groups[code], pa.array(good)))).as_py()
            if code in groups
            else 2
        )
        if shortest == 1:
            layout = layout.replace(f"%{code}", f"%-{code}")
    if "f" in groups and (pc.max(pc.utf8_length(groups["f"])).as_py() or 6) <= 3:
        layout = layout.replace("%f", "%-f")
    return ParsedTimestamps(instants, good & exists, layout, offsets)


def _parse_iso_timestamps(layout: str, texts: pa.Array) -> ParsedTimestamps | None:
    """ISO stamps of one length by Arrow's own parser, many times faster; None where it cannot read them all."""
    if (
        not len(texts)
        or texts.null_count
        or not _ISO_FORMAT.fullmatch(layout)
        or not re.match(format_to_regex(layout), texts[0].as_py())
    ):
        return None
    lengths = pc.min_max(pc.binary_length(texts))
    if lengths["min"] != lengths["max"]:
        return None
    kind = pa.timestamp("us", "UTC" if layout.endswith("Z") else None)
    try:
        stamps = pc.cast(texts, kind).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None
    if (
        "%f" in layout
        and lengths["max"].as_py() - len("2000-01-01T00:00:00.") - layout.endswith("Z") <= 3
    ):
        layout = layout.replace("%f", "%-f")
    return ParsedTimestamps(
        np.asarray(stamps, dtype="M8[us]").astype(np.int64), np.ones(len(texts), dtype=bool), layout
    )


def _parse_directive(code: str, group: pa.Array) -> Ints:
    if code in "bB":
        names = pa.array([name.lower() for name in _NAMES_BY_DIRECTIVE[code]])
        found = pc.add(pc.index_in(pc.utf8_lower(group), value_set=names), 1)
    elif code == "p":
        found = pc.equal(pc.utf8_lower(group), "pm")
    elif code == "f":
        found = pc.utf8_slice_codeunits(pc.utf8_rpad(group, 6, "0"), 0, 6)
    elif code == "O":
        return _parse_directive(
            "z",
            pc.binary_join_element_wise(
                group, pa.scalar("00", group.type), pa.scalar("", group.type)
            ),
        )
    elif code == "z":
        plain = pc.replace_substring(pc.if_else(pc.equal(group, "Z"), "+0000", group), ":", "")
        number = pc.cast(pc.replace_substring(plain, "+", ""), pa.int64())
        signed = np.asarray(pc.fill_null(number, 0).to_numpy(zero_copy_only=False), dtype=np.int64)
        return np.asarray(
            np.sign(signed) * (abs(signed) // 100 * 60 + abs(signed) % 100), dtype=np.int64
        )
    else:
        found = group
    values = pc.fill_null(pc.cast(found, pa.int64()), 0).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.int64)


def instants_from_fields(parts: dict[str, Ints]) -> tuple[Ints, Bools]:
    """Instants from calendar fields, and whether such a day and hour exist."""
    if "G" in parts:
        days, good = _days_from_iso_weeks(parts["G"], parts["V"], parts.get("u"))
    elif "j" in parts:
        days, good = _days_from_day_of_year(_years_from_fields(parts), parts["j"])
    else:
        days, good = _days_from_months(_years_from_fields(parts), parts)
    hours = parts.get("H", np.zeros_like(days))
    if "I" in parts:
        good &= (parts["I"] >= 1) & (parts["I"] <= 12)
        hours = parts["I"] % 12 + 12 * parts.get("p", 0)
    minutes, seconds = parts.get("M", np.zeros_like(days)), parts.get("S", np.zeros_like(days))
    midnight = (
        (hours == 24) & (minutes == 0) & (seconds == 0)
    )  # the end of a day, the beginning of the next
    good &= ((hours < 24) | midnight) & (minutes < 60) & (seconds < 60)
    clock = ((hours * 60 + minutes) * 60 + seconds) * SECOND + parts.get("f", 0)
    return days * DAY + clock, good


def _years_from_fields(parts: dict[str, Ints]) -> Ints:
    if "y" in parts:
        return parts["y"] + np.where(parts["y"] < 69, 2000, 1900)
    for code in ("Y", "N"):
        if code in parts:
            return parts[code]
    raise UsageError("the date format has no year", "add %Y or %y to --date-format")


def _days_from_months(years: Ints, parts: dict[str, Ints]) -> tuple[Ints, Bools]:
    months = next((parts[code] for code in ("m", "b", "B") if code in parts), np.ones_like(years))
    months = parts["q"] * 3 - 2 if "q" in parts else months
    days = parts.get("d", np.ones_like(years))
    index = (years - 1970) * 12 + months - 1
    good = (months >= 1) & (months <= 12) & (days >= 1) & (days <= month_lengths(index))
    return month_starts(index) + days - 1, good


def _days_from_iso_weeks(years: Ints, weeks: Ints, days: Ints | None) -> tuple[Ints, Bools]:
    first, following = _first_iso_monday(years), _first_iso_monday(years + 1)
    start = first + (weeks - 1) * 7
    return start + (0 if days is None else days - 1), (weeks >= 1) & (start < following)


def _first_iso_monday(years: Ints) -> Ints:
    """Monday of the ISO year's first week: that of 4 January."""
    fourth = month_starts((years - 1970) * 12) + 3
    return fourth - (fourth + 3) % 7


def _days_from_day_of_year(years: Ints, days: Ints) -> tuple[Ints, Bools]:
    first, following = month_starts((years - 1970) * 12), month_starts((years - 1969) * 12)
    return first + days - 1, (days >= 1) & (first + days - 1 < following)


def month_starts(months: Ints) -> Ints:
    """Days since 1970 of the first of each month; months count from January 1970."""
    return months.view("M8[M]").astype("M8[D]").astype(np.int64)


def month_lengths(months: Ints) -> Ints:
    """Days in each month; months count from January 1970."""
    return month_starts(months + 1) - month_starts(months)


def format_timestamps(layout: str, instants: Ints, offsets: Ints | None = None) -> list[str]:
    """Text of each instant by `layout`, with its offset in minutes; the inverse of `parse` on what it understood."""
    stamps = instants.view("M8[us]")
    days, months = stamps.astype("M8[D]").astype(np.int64), stamps.astype("M8[M]").astype(np.int64)
    columns = [
        _format_directive(part, instants, days, months, offsets)
        if part.startswith("%") and part != "%%"
        else None
        for part in split_directives(layout)
    ]
    literals = [part.replace("%%", "%") for part in split_directives(layout)]
    filled = [
        column or [text] * len(instants) for column, text in zip(columns, literals, strict=True)
    ]
    return ["".join(row) for row in zip(*filled, strict=True)] if filled else []


_DIRECTIVE_WIDTHS = {"Y": 4, "G": 4, "N": 1, "j": 3, "f": 6, "q": 1, "u": 1}
"""Digits of a number field; two where not named."""


def _format_directive(
    part: str, instants: Ints, days: Ints, months: Ints, offsets: Ints | None
) -> list[str]:
    code = part[-1]
    if code in "zO":
        form = {"%z": "{}{:02d}:{:02d}", "%-z": "{}{:02d}{:02d}", "%O": "{}{:02d}"}[part]
        minutes = np.zeros(len(instants), np.int64) if offsets is None else offsets
        return [
            form.format("-" if one < 0 else "+", *divmod(abs(one), 60)) for one in minutes.tolist()
        ]
    values = _calendar_numbers(code, instants, days, months)
    if part == "%-f":
        return [f"{value // 1000:03d}" for value in values.tolist()]
    if code in _NAMES_BY_DIRECTIVE:
        return [_NAMES_BY_DIRECTIVE[code][value] for value in values]
    if code == "p":
        return ["PM" if value else "AM" for value in values]
    width = 1 if part.startswith("%-") else _DIRECTIVE_WIDTHS.get(code, 2)
    return [f"{value:0{width}d}" for value in values.tolist()]


def _calendar_numbers(code: str, instants: Ints, days: Ints, months: Ints) -> Ints:
    clock = instants - days * DAY
    thursday = days - (days + 3) % 7 + 3
    iso_year = thursday.view("M8[D]").astype("M8[Y]").astype(np.int64) + 1970
    hours = clock // (3600 * SECOND)
    fields = {
        "Y": months // 12 + 1970, "y": (months // 12 + 1970) % 100, "N": months // 12 + 1970, "m": months % 12 + 1,
        "b": months % 12, "B": months % 12, "q": months % 12 // 3 + 1, "d": days - month_starts(months) + 1,
        "a": (days + 3) % 7, "A": (days + 3) % 7, "u": (days + 3) % 7 + 1, "G": iso_year,
        "V": (thursday - month_starts((iso_year - 1970) * 12)) // 7 + 1,
        "j": days - month_starts(months // 12 * 12) + 1, "H": hours, "I": (hours + 11) % 12 + 1, "p": hours // 12,
        "M": clock // (60 * SECOND) % 60, "S": clock // SECOND % 60, "f": clock % SECOND,
    }  # fmt: skip
    return np.asarray(fields[code], dtype=np.int64)

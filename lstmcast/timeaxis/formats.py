"""Layouts of written dates: which a text may follow, texts to instants by one of them, and back.

An instant is an int64 of microseconds since 1970. Layouts are written like strptime's, with `%-d`
for numbers without a leading zero, `%-f` for milliseconds, `%q` for a quarter, `%N` for a bare year
number, `%z` for an offset from UTC ("%-z" without a colon) and `%O` for one in hours. Independent
of the locale.

Axes: n texts or instants.
"""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from lstmcast.errors import UsageError
from lstmcast.ragged import Bools, Ints
from lstmcast.timeaxis.calendar_fields import (
    SECOND,
    calendar_field,
    instants_from_fields,
)

MONTH_NAMES = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAY_NAMES = (
    *("Monday", "Tuesday", "Wednesday", "Thursday"),
    *("Friday", "Saturday", "Sunday"),
)
_NAMES_BY_DIRECTIVE = {
    "b": tuple(name[:3] for name in MONTH_NAMES),
    "B": MONTH_NAMES,
    "a": tuple(name[:3] for name in _WEEKDAY_NAMES),
    "A": _WEEKDAY_NAMES,
}
_DIRECTIVE_PATTERNS = {
    "Y": r"\d{4}", "G": r"\d{4}", "y": r"\d{2}", "N": r"\d{1,3}", "m": r"\d{1,2}", "d": r"\d{1,2}",
    "j": r"\d{3}", "H": r"\d{1,2}", "I": r"\d{1,2}", "M": r"\d{2}", "S": r"\d{2}", "f": r"\d{1,9}",
    "p": r"[AaPp][Mm]", "q": r"[1-4]", "V": r"\d{1,2}", "u": r"[1-7]",
    "z": r"(?:Z|[+-]\d{2}:?\d{2})", "O": r"[+-]\d{2}",
    **{code: "(?i:" + "|".join(names) + ")" for code, names in _NAMES_BY_DIRECTIVE.items()},
}  # fmt: skip
_DIRECTIVE_WIDTHS = {"Y": 4, "G": 4, "N": 1, "j": 3, "f": 6, "q": 1, "u": 1}
"""Digits of a number field; two where not named."""
_OFFSET_FORMATS = {"%z": "{}{:02d}:{:02d}", "%-z": "{}{:02d}{:02d}", "%O": "{}{:02d}"}
"""How sign, hours and minutes of an offset are put together."""
_VARIABLE_WIDTH_CODES = ("m", "d", "H", "I", "V")
"""Number fields that people write with or without a leading zero."""
_NAMED_MONTH_FORMATS = (
    *("%b %d %Y", "%b %d, %Y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y"),
    *("%d %b, %Y", "%d. %b %Y", "%Y %b %d", "%Y-%b-%d", "%d%b%Y"),
    *("%b %Y", "%b-%Y", "%b-%y", "%b, %Y"),
    *("%Y %b", "%Y-%b", "%a %d %b %Y", "%a, %d %b %Y", "%a %b %d %Y", "%a, %b %d, %Y"),
    *("%a, %b %d %Y", "%A, %b %d, %Y", "%A, %d %b %Y", "%A %d %b %Y"),
)
DATE_FORMATS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y-%m", "%Y/%m", "%Y%m%d"),
    *("%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y"),
    *("%d/%m/%y", "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y"),
    *("%m/%Y", "%m-%Y", "%m.%Y", "%Y %m %d"),
    *_NAMED_MONTH_FORMATS,
    *(layout.replace("%b", "%B") for layout in _NAMED_MONTH_FORMATS),
    *("%YQ%q", "%Y-Q%q", "%Y Q%q", "%Yq%q", "Q%q %Y", "Q%q-%Y", "Q%q/%Y", "%qQ%Y"),
    *("Q%q %y", "%qQ%y"),
    *("%YM%m", "%Y-M%m", "%Ym%m"),
    *("%G-W%V", "%GW%V", "%G W%V", "W%V %G", "W%V-%G", "W%V/%G", "%G-W%V-%u", "%Y-%j"),
)
"""Layouts of dates without a time of day, the usual ones first."""
TIMESTAMP_FORMATS = (
    *("%Y%m%dT%H%M%S", "%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M", "%Y%m%dT%H%MZ", "%Y%m%dT%HZ"),
    *("%Y%m%d_%H%M%S", "%Y%m%d %H%M", "%Y-%m-%d_%H-%M-%S", "%Y-%m-%d-%H"),
    *("%a %b %d %H:%M:%S %Y", "%d/%b/%Y:%H:%M:%S %-z"),
)
"""Dates with a time of day that is not simply put behind."""
YEAR_NUMBER_FORMAT = "%N-%m"
"""A year number and a month ("3-12"): tried where nothing else fits."""
_DATE_AND_CLOCK = re.compile(
    r"(?P<date>.*\S)(?P<gap>, |[T ])"
    r"(?P<clock>\d{1,2}(?::\d{2}){0,2}(?P<fraction>\.\d{1,9})?(?P<half> ?[AaPp][Mm])?)"
    r"(?P<zone> ?UTC| ?GMT|Z| ?[+-]\d{2}(?::?\d{2})?)?"
)
_ISO_FORMAT = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%-?f)?)?Z?)?")


def split_directives(layout: str) -> list[str]:
    """The layout cut into directives like "%-d" and the literal text between them."""
    return [part for part in re.split(r"(%-?[A-Za-z%])", layout) if part]


def _is_directive(part: str) -> bool:
    """Whether a part of a layout stands for a field; "%%" is a percent sign."""
    return part.startswith("%") and part != "%%"


@lru_cache(maxsize=256)
def format_to_regex(layout: str) -> str:
    """Regular expression of a layout, for Python and for Arrow (RE2); one named group a directive.

    Raises UsageError for an unknown directive.
    """
    parts = split_directives(layout)
    are_directives = [_is_directive(part) for part in parts]
    pieces = []
    for place, part in enumerate(parts):
        if not are_directives[place]:
            literal = re.escape(part.replace("%%", "%"))
            pieces.append(literal.replace(r"\ ", " "))  # RE2 knows no escaped blank
            continue

        code = part[-1]
        if code not in _DIRECTIVE_PATTERNS:
            raise _unknown_directive_error(layout, part)
        pattern = _DIRECTIVE_PATTERNS[code]

        with_neighbours = are_directives[max(place - 1, 0) : place + 2]
        if sum(with_neighbours) > 1:
            # Digits that touch, as in 20240131, can only be separated by fixed widths.
            pattern = pattern.replace("{1,2}", "{2}")
        pieces.append(f"(?P<{code}>{pattern})")

    return f"^{''.join(pieces)}$"


def _unknown_directive_error(layout: str, part: str) -> UsageError:
    known = ", ".join(f"%{code}" for code in _DIRECTIVE_PATTERNS)
    message = f"date format {layout!r}: {part} is not known"
    return UsageError(message, f"known are {known}")


def match_formats(text: str) -> list[str]:
    """Layouts that one text may follow, the usual ones first."""
    layouts = _select_matching(DATE_FORMATS + TIMESTAMP_FORMATS, text)

    timed = _DATE_AND_CLOCK.fullmatch(text)
    if timed:
        clock = timed["gap"] + _infer_clock_format(timed)
        dates = _select_matching(DATE_FORMATS, timed["date"])
        layouts += [date + clock for date in dates if "%d" in date]

    return layouts or _select_matching((YEAR_NUMBER_FORMAT,), text)


def _select_matching(layouts: tuple[str, ...], text: str) -> list[str]:
    matching = []
    for layout in layouts:
        pattern = format_to_regex(layout)
        if re.match(pattern, text):
            matching.append(layout)
    return matching


def _infer_clock_format(match: re.Match[str]) -> str:
    """Layout of the time of day in a match of `_DATE_AND_CLOCK`."""
    layout = "%I" if match["half"] else "%H"

    colons = match["clock"].count(":")
    if colons:
        layout += ":%M"
    if colons == 2:
        layout += ":%S"
    if match["fraction"]:
        layout += ".%f"
    if match["half"]:
        layout += match["half"][:-2] + "%p"  # with the blank before it, if there is one

    zone = match["zone"] or ""
    offset = zone.strip()
    if offset in ("", "UTC", "GMT", "Z"):
        return layout + zone
    if zone.startswith(" "):
        layout += " "
    if len(offset) == len("+01"):
        return layout + "%O"
    return layout + ("%z" if ":" in offset else "%-z")


@dataclass(frozen=True)
class ParsedTimestamps:
    """Texts read by one layout.

    instants: [n], by the wall clock. good: which texts [n] were understood. layout: with the
    padding that the texts have. offsets: minutes from UTC [n], where the texts give them.
    """

    instants: Ints
    good: Bools
    layout: str
    offsets: Ints | None = None

    def universal(self) -> Ints:
        """The instants in UTC."""
        if self.offsets is None:
            return self.instants
        return self.instants - self.offsets * 60 * SECOND


def parse_timestamps(layout: str, texts: pa.Array) -> ParsedTimestamps:
    """Read texts [n] by a layout.

    Texts that do not follow it, or that name a day or hour that does not exist, are not good.
    Raises UsageError where the layout has an unknown directive or no year.
    """
    iso = _parse_iso_timestamps(layout, texts)
    if iso:
        return iso

    matches = pc.extract_regex(texts, pattern=format_to_regex(layout))
    matched = pc.is_valid(matches).to_numpy(zero_copy_only=False)

    groups: dict[str, pa.Array] = {}
    fields: dict[str, Ints] = {}
    for place, group_type in enumerate(matches.type):
        code = group_type.name
        group = pc.struct_field(matches, [place])
        groups[code] = group
        # Names of weekdays must be there, but need not agree with the date.
        if code not in "aA":
            fields[code] = _parse_directive(code, group)

    instants, exists = instants_from_fields(fields)
    padded_layout = _layout_with_padding(layout, groups, matched)
    offsets = fields.get("z", fields.get("O"))
    return ParsedTimestamps(instants, matched & exists, padded_layout, offsets)


def _layout_with_padding(layout: str, groups: dict[str, pa.Array], rows: Bools) -> str:
    """The layout with "%-d" and the like where numbers of some rows have no leading zero."""
    for code in _VARIABLE_WIDTH_CODES:
        if code in groups and _shortest_length(groups[code], rows) == 1:
            layout = layout.replace(f"%{code}", f"%-{code}")

    if "f" in groups:
        lengths = pc.utf8_length(groups["f"])
        longest = pc.max(lengths).as_py()
        if longest and longest <= 3:
            layout = layout.replace("%f", "%-f")

    return layout


def _shortest_length(texts: pa.Array, rows: Bools) -> int | None:
    """Fewest characters of the texts of some rows; None where there are no rows."""
    texts_of_rows = pc.filter(texts, pa.array(rows))
    lengths = pc.utf8_length(texts_of_rows)
    shortest: int | None = pc.min(lengths).as_py()
    return shortest


def _parse_iso_timestamps(layout: str, texts: pa.Array) -> ParsedTimestamps | None:
    """Read ISO stamps of one length by Arrow's own parser; None where it cannot read them all.

    Many times faster than a regular expression.
    """
    if not len(texts) or texts.null_count or not _ISO_FORMAT.fullmatch(layout):
        return None

    # The cheapest test of whether the layout is the right one.
    first = texts[0].as_py()
    if not re.match(format_to_regex(layout), first):
        return None

    lengths = pc.min_max(pc.binary_length(texts))
    longest = lengths["max"]
    if lengths["min"] != longest:
        return None

    in_utc = layout.endswith("Z")
    zone = "UTC" if in_utc else None
    try:
        stamps = pc.cast(texts, pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return None

    datetimes = stamps.to_numpy(zero_copy_only=False)
    instants = np.asarray(datetimes, dtype="M8[us]").astype(np.int64)

    # What is longer than a stamp of whole seconds are digits of a fraction.
    fraction_digits = longest.as_py() - len("2000-01-01T00:00:00.") - in_utc
    if "%f" in layout and fraction_digits <= 3:
        layout = layout.replace("%f", "%-f")

    all_good = np.ones(len(texts), dtype=bool)
    return ParsedTimestamps(instants, all_good, layout)


def _parse_directive(code: str, group: pa.Array) -> Ints:
    """Values [n] of one directive's texts; 0 where there is no text."""
    if code == "z":
        return _parse_utc_offsets(group)
    if code == "O":
        minutes = pa.scalar("00", group.type)
        separator = pa.scalar("", group.type)
        offsets = pc.binary_join_element_wise(group, minutes, separator)
        return _parse_utc_offsets(offsets)

    if code in "bB":
        names = pa.array([name.lower() for name in _NAMES_BY_DIRECTIVE[code]])
        places = pc.index_in(pc.utf8_lower(group), value_set=names)
        values = pc.add(places, 1)
    elif code == "p":
        values = pc.equal(pc.utf8_lower(group), "pm")
    elif code == "f":  # digits beyond microseconds are cut off
        padded = pc.utf8_rpad(group, 6, "0")
        values = pc.utf8_slice_codeunits(padded, 0, 6)
    else:
        values = group

    return _to_ints(values)


def _parse_utc_offsets(group: pa.Array) -> Ints:
    """Minutes [n] of offsets like "+01:00", "-0330" or "Z"."""
    signed = pc.if_else(pc.equal(group, "Z"), "+0000", group)
    without_colons = pc.replace_substring(signed, ":", "")
    digits = pc.replace_substring(without_colons, "+", "")

    hours_and_minutes = _to_ints(digits)  # -330 for "-03:30"
    hours, minutes = np.divmod(abs(hours_and_minutes), 100)
    signs = np.sign(hours_and_minutes)
    return np.asarray(signs * (hours * 60 + minutes), dtype=np.int64)


def _to_ints(values: pa.Array) -> Ints:
    integers = pc.cast(values, pa.int64())
    filled = pc.fill_null(integers, 0)
    return np.asarray(filled.to_numpy(zero_copy_only=False), dtype=np.int64)


def format_timestamps(
    layout: str, instants: Ints, offsets: Ints | None = None
) -> list[str]:
    """Text of each instant [n] by a layout, with its offset [n] in minutes.

    The inverse of `parse_timestamps` on what that understood.
    """
    count = len(instants)
    if offsets is None:
        offsets = np.zeros(count, np.int64)

    columns: list[list[str]] = []
    for part in split_directives(layout):
        if not _is_directive(part):
            literal = part.replace("%%", "%")
            columns.append([literal] * count)
        elif part[-1] in "zO":
            columns.append(_format_utc_offsets(part, offsets))
        else:
            columns.append(_format_directive(part, instants))

    return ["".join(row) for row in zip(*columns, strict=True)]


def _format_utc_offsets(part: str, offsets: Ints) -> list[str]:
    form = _OFFSET_FORMATS[part]
    texts = []
    for offset in offsets.tolist():
        sign = "-" if offset < 0 else "+"
        hours, minutes = divmod(abs(offset), 60)
        texts.append(form.format(sign, hours, minutes))
    return texts


def _format_directive(part: str, instants: Ints) -> list[str]:
    code = part[-1]
    values = calendar_field(code, instants).tolist()

    if part == "%-f":
        return [f"{value // 1000:03d}" for value in values]
    if code in _NAMES_BY_DIRECTIVE:
        names = _NAMES_BY_DIRECTIVE[code]
        return [names[value] for value in values]
    if code == "p":
        return ["PM" if value else "AM" for value in values]

    width = _DIRECTIVE_WIDTHS.get(code, 2)
    if part.startswith("%-"):
        width = 1
    return [f"{value:0{width}d}" for value in values]

"""Layouts of written dates: texts to instants by one of them, and back.

An instant is an int64 of microseconds since 1970. Layouts are written like strptime's, with `%-d`
for numbers without a leading zero, `%_d` for a blank in its place, `%-f` for milliseconds, `%q` for
a quarter, `%h` for a half-year, `%E` and `%U` for year and week of the CDC, `%k` for an hour of 1
to 24 that ends then, `%N` for a bare year number, `%z` for an offset from UTC ("%-z" without a
colon), `%O` for one in hours and `%Z` for the name of a clock. Names of months and weekdays are
English, or of the language before a layout, as in "pt:%b-%y". A layout that was read says behind
them how they are spelled: "pt:%b(jan,fev,mar,...)-%y". Independent of the locale.

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
    HOUR,
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
    "E": r"\d{4}", "U": r"\d{1,2}", "h": r"[12]", "k": r"\d{1,2}",
    "z": r"(?:Z|[+-]\d{2}:?\d{2})", "O": r"[+-]\d{2}", "Z": r"[A-Z]{2,5}",
    **{code: "(?i:" + "|".join(names) + ")" for code, names in _NAMES_BY_DIRECTIVE.items()},
}  # fmt: skip
_ANY_NAME_PATTERN = r"[^\d\s.,;:/_'()*+-]+(?:-feira)?[.॰]?"
"""A name in another language than English, of which the table of names knows what it is.

Classes of letters are far slower to compile."""
_ENGLISH = "en"
_DIRECTIVE_WIDTHS = {
    "Y": 4,
    "G": 4,
    "E": 4,
    "N": 1,
    "j": 3,
    "f": 6,
    "q": 1,
    "u": 1,
    "h": 1,
}
"""Digits of a number field; two where not named."""
_OFFSET_FORMATS = {"%z": "{}{:02d}:{:02d}", "%-z": "{}{:02d}{:02d}", "%O": "{}{:02d}"}
"""How sign, hours and minutes of an offset are put together."""
_VARIABLE_WIDTH_CODES = ("m", "d", "H", "I", "V", "U", "k")
"""Number fields that people write with or without a leading zero."""
_ISO_FORMAT = re.compile(r"%Y-%m-%d(?:[ T]%H:%M(?::%S(?:\.%-?f)?)?Z?)?")


_DIRECTIVE = re.compile(r"(%[bBaAZ]\([^)]*\)|%[-_]?[A-Za-z%])")
_LANGUAGE_PREFIX = re.compile(r"([a-z]{2}):(?=.*%)")


def split_directives(layout: str) -> list[str]:
    """The layout cut into directives like "%-d" and the literal text between them."""
    _, bare = split_language(layout)
    return [part for part in _DIRECTIVE.split(bare) if part]


def split_language(layout: str) -> tuple[str, str]:
    """Code of the language of a layout's names, "" for English, and the layout without it."""
    prefix = _LANGUAGE_PREFIX.match(layout)
    if not prefix:
        return "", layout
    return prefix[1], layout[prefix.end() :]


def without_spellings(layout: str) -> str:
    """A layout without the list of how its names are spelled, as people write it."""
    return re.sub(r"(%[bBaAZ])\([^)]*\)", r"\1", layout)


def _code_of(directive: str) -> str:
    """The letter of a directive: "d" of "%-d", and "b" of "%b(Jan,Feb,...)"."""
    return directive[1] if directive.endswith(")") else directive[-1]


def _is_directive(part: str) -> bool:
    """Whether a part of a layout stands for a field; "%%" is a percent sign."""
    return part.startswith("%") and part != "%%"


@lru_cache(maxsize=1024)
def format_to_regex(layout: str) -> str:
    """Regular expression of a layout, for Arrow (RE2); one named group a directive.

    That of a layout in English is for Python too. Raises UsageError for an unknown directive.
    """
    language = _require_known_language(layout)
    parts = split_directives(layout)
    are_directives = [_is_directive(part) for part in parts]
    pieces = []
    for place, part in enumerate(parts):
        if not are_directives[place]:
            literal = re.escape(part.replace("%%", "%"))
            pieces.append(literal.replace(r"\ ", " "))  # RE2 knows no escaped blank
            continue

        code = _code_of(part)
        if code not in _DIRECTIVE_PATTERNS:
            raise _unknown_directive_error(layout, part)
        pattern = _DIRECTIVE_PATTERNS[code]
        if language and code in _NAMES_BY_DIRECTIVE:
            pattern = _ANY_NAME_PATTERN

        with_neighbours = are_directives[max(place - 1, 0) : place + 2]
        if sum(with_neighbours) > 1:
            # Digits that touch, as in 20240131, can only be separated by fixed widths.
            pattern = pattern.replace("{1,2}", "{2}")
        if part.startswith("%_"):
            pattern = r"[ \d]\d"
        pieces.append(f"(?P<{code}>{pattern})")

    return f"^{''.join(pieces)}$"


def _require_known_language(layout: str) -> str:
    language, _ = split_language(layout)
    if language:
        # Most programs need no other language than English.
        from lstmcast.timeaxis.language.month_table import LANGUAGES

        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            message = (
                f"date format {layout!r}: {language!r} is no language that is known"
            )
            raise UsageError(message, f"known are {known}")
    return language


def _unknown_directive_error(layout: str, part: str) -> UsageError:
    directives = [f"%{code}" for code in _DIRECTIVE_PATTERNS]
    known = ", ".join(directives)
    message = f"date format {layout!r}: {part} is not known"
    return UsageError(message, f"known are {known}")


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


def parse_timestamps(
    layout: str, texts: pa.Array, zone: str | None = None
) -> ParsedTimestamps:
    """Read texts [n] by a layout.

    zone: whose clocks are meant by names like IST, where the texts have such. Texts that do not
    follow the layout, or that name a day or hour that does not exist, are not good. Raises
    UsageError where the layout has an unknown directive or no year.
    """
    iso = _parse_iso_timestamps(layout, texts)
    if iso:
        return iso

    matches = pc.extract_regex(texts, pattern=format_to_regex(layout))
    matched = pc.is_valid(matches).to_numpy(zero_copy_only=False)

    groups: dict[str, pa.Array] = {}
    fields: dict[str, Ints] = {}
    padded_layout = layout
    for place, group_type in enumerate(matches.type):
        code = group_type.name
        group = pc.struct_field(matches, [place])
        groups[code] = group
        if code in _NAMES_BY_DIRECTIVE or code == "Z":
            values, known, padded_layout = _parse_names(
                padded_layout, code, group, zone
            )
            matched &= known
        else:
            values = _parse_directive(code, group)
        # Names of weekdays must be there, but need not agree with the date.
        if code not in "aA":
            fields[code] = values

    instants, exists = instants_from_fields(fields)
    padded_layout = _layout_with_padding(padded_layout, groups, matched)
    offsets = fields.get("z", fields.get("O", fields.get("Z")))
    return ParsedTimestamps(instants, matched & exists, padded_layout, offsets)


def _parse_names(
    layout: str, code: str, group: pa.Array, zone: str | None
) -> tuple[Ints, Bools, str]:
    """Values [n] of names, which of them are known [n], and the layout with their spelling."""
    # Each different name is looked up once. Where none is there, the first stands for it.
    encoded = group.dictionary_encode()
    filled = pc.fill_null(encoded.indices, 0)
    indices = filled.to_numpy(zero_copy_only=False)
    words = [word or "" for word in encoded.dictionary.to_pylist()]
    values, layout = _look_up_names(layout, code, words or [""], zone)

    are_known = [value is not None for value in values]
    known = np.array(are_known)[indices]
    filled_values = [value or 0 for value in values]
    numbers = np.array(filled_values, dtype=np.int64)[indices]
    return numbers, known, layout


def _look_up_names(
    layout: str, code: str, words: list[str], zone: str | None
) -> tuple[list[int | None], str]:
    """What each word of a column means, and the layout with the spelling of these words."""
    language, _ = split_language(layout)
    if code == "Z":
        return _look_up_zone_names(layout, words, zone)

    is_month = code in "bB"
    first = 1 if is_month else 0
    default = _NAMES_BY_DIRECTIVE[code]
    given = _names_of_directive(layout, code)

    # The usual English names need no table, and stand in no layout.
    is_usual = all(word in default for word in words if word)
    if not language and default == given and is_usual:
        in_english = {name: at for at, name in enumerate(default, start=first)}
        return [in_english.get(word) for word in words], layout

    from lstmcast.timeaxis.language import names

    find = names.month_numbers if is_month else names.weekday_numbers
    numbers = find(language or _ENGLISH)
    meanings = [numbers.get(names.fold_name(word)) for word in words]

    seen: dict[int, str] = {}
    if given is not default:  # as an earlier table spelled them
        seen = dict(enumerate(given, start=first))
    for meaning, word in zip(meanings, words, strict=True):
        if meaning is not None:
            seen[meaning] = word
    if not seen:
        return meanings, layout

    learn = names.learn_month_names if is_month else names.learn_weekday_names
    spelled = ",".join(learn(language or _ENGLISH, seen))
    return meanings, _with_spelling(layout, code, spelled)


def _look_up_zone_names(
    layout: str, words: list[str], zone: str | None
) -> tuple[list[int | None], str]:
    from lstmcast.timeaxis.language.zone_names import find_offset_minutes

    earlier = _clocks_of_directive(layout)
    values: list[int | None] = []
    for word in words:
        offset = find_offset_minutes(word, zone)
        values.append(earlier.get(word) if offset is None else offset)

    known = dict(earlier)
    for word, value in zip(words, values, strict=True):
        if value is not None:
            known[word] = value
    spellings = [f"{word}={value}" for word, value in known.items()]
    spelled = ",".join(spellings)
    return values, _with_spelling(layout, "Z", spelled)


def _with_spelling(layout: str, code: str, spelled: str) -> str:
    # A function, since a text to put in would have its backslashes read.
    pattern = rf"%{code}(\([^)]*\))?"
    return re.sub(pattern, lambda _: f"%{code}({spelled})", layout, count=1)


def _names_of_directive(layout: str, code: str) -> tuple[str, ...]:
    """The names that a layout writes for a directive: the usual English ones, or its own."""
    spelled = re.search(rf"%{code}\(([^)]*)\)", layout)
    if spelled:
        return tuple(spelled[1].split(","))
    return _NAMES_BY_DIRECTIVE[code]


def _clocks_of_directive(layout: str) -> dict[str, int]:
    """Minutes ahead of UTC of each clock that a layout names, like "%Z(EST=-300)"."""
    spelled = re.search(r"%Z\(([^)]*)\)", layout)
    if not spelled or not spelled[1]:
        return {}

    minutes_by_name = {}
    for pair in spelled[1].split(","):
        name, minutes = pair.split("=")
        minutes_by_name[name] = int(minutes)
    return minutes_by_name


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

    if code == "p":
        values = pc.equal(pc.utf8_lower(group), "pm")
    elif code == "f":  # digits beyond microseconds are cut off
        padded = pc.utf8_rpad(group, 6, "0")
        values = pc.utf8_slice_codeunits(padded, 0, 6)
    else:
        values = pc.utf8_ltrim_whitespace(group)  # of a day like " 1"

    return _to_ints(values)


def _parse_utc_offsets(group: pa.Array) -> Ints:
    """Minutes [n] of offsets like "+01:00", "-0330" or "Z"."""
    is_utc = pc.equal(group, "Z")
    signed = pc.if_else(is_utc, "+0000", group)
    without_colons = pc.replace_substring(signed, ":", "")
    digits = pc.replace_substring(without_colons, "+", "")

    hours_and_minutes = _to_ints(digits)  # -330 for "-03:30"
    hours, minutes = np.divmod(abs(hours_and_minutes), 100)
    all_minutes = hours * 60 + minutes
    signs = np.sign(hours_and_minutes)
    return np.asarray(signs * all_minutes, dtype=np.int64)


def _to_ints(values: pa.Array) -> Ints:
    integers = pc.cast(values, pa.int64())
    filled = pc.fill_null(integers, 0)
    numbers = filled.to_numpy(zero_copy_only=False)
    return np.asarray(numbers, dtype=np.int64)


def format_timestamps(
    layout: str, instants: Ints, offsets: Ints | None = None
) -> list[str]:
    """Text of each instant [n] by a layout, with its offset [n] in minutes.

    The inverse of `parse_timestamps` on what that understood.
    """
    count = len(instants)
    if offsets is None:
        offsets = np.zeros(count, np.int64)

    # The 24th hour of a day ends with it, and is written with its date.
    dated = instants - HOUR if re.search("%-?k", layout) else instants

    columns: list[list[str]] = []
    for part in split_directives(layout):
        code = _code_of(part)
        if not _is_directive(part):
            literal = part.replace("%%", "%")
            columns.append([literal] * count)
        elif code == "Z":
            columns.append(_format_clock_names(part, offsets))
        elif code in "zO":
            columns.append(_format_utc_offsets(part, offsets))
        else:
            columns.append(_format_directive(part, instants if code == "k" else dated))

    return ["".join(row) for row in zip(*columns, strict=True)]


def _format_utc_offsets(part: str, offsets: Ints) -> list[str]:
    form = _OFFSET_FORMATS[part]
    texts = []
    for offset in offsets.tolist():
        sign = "-" if offset < 0 else "+"
        hours, minutes = divmod(abs(offset), 60)
        texts.append(form.format(sign, hours, minutes))
    return texts


def _format_clock_names(part: str, offsets: Ints) -> list[str]:
    from lstmcast.timeaxis.language.zone_names import name_clock

    known = _clocks_of_directive(part)
    return [name_clock(offset, known) for offset in offsets.tolist()]


def _format_directive(part: str, instants: Ints) -> list[str]:
    code = _code_of(part)
    values = calendar_field(code, instants).tolist()

    if part == "%-f":
        return [f"{value // 1000:03d}" for value in values]
    if code in _NAMES_BY_DIRECTIVE:
        names = _names_of_directive(part, code)
        return [names[value] for value in values]
    if part.startswith("%_"):
        return [f"{value:2d}" for value in values]
    if code == "p":
        return ["PM" if value else "AM" for value in values]

    width = _DIRECTIVE_WIDTHS.get(code, 2)
    if part.startswith("%-"):
        width = 1
    return [f"{value:0{width}d}" for value in values]

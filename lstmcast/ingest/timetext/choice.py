"""The layout of a column of texts, decided over all of its rows.

Axes: n texts.
"""

import re
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from lstmcast.ingest.timetext.column_names import period_of_name
from lstmcast.ragged import choose_evenly
from lstmcast.timeaxis.formats import (
    ParsedTimestamps,
    parse_timestamps,
    split_language,
    without_spellings,
)
from lstmcast.timeaxis.layouts import match_formats

_MAX_ROUNDS = 4
"""How often texts that no layout so far reads may bring in others."""
_MANY_TEXTS = 2000
_SAMPLE_TEXTS = 1000
WEEK_NOTES = {
    "V": "weeks are ISO weeks, which begin on Monday",
    "U": "weeks are those of the CDC (epidemiological weeks), which begin on Sunday",
}
_DAY_MONTH_ORDERS = {"d": "day before month", "m": "month before day"}


def find_candidate_layouts(unique: pa.Array, zone: str | None = None) -> list[str]:
    """List layouts meant by some of the texts, best first; the other texts decide between them."""
    count = len(unique)
    layouts_by_text = [match_formats(text) for text in _choose_examples(unique)]
    layouts = _keep_common_languages(layouts_by_text)
    layouts.update(dict.fromkeys(_other_periods(layouts)))

    # Of very many texts a sample rules layouts out before all are parsed.
    sample = unique
    if count >= _MANY_TEXTS:
        sample = unique.take(choose_evenly(count, _SAMPLE_TEXTS, round_down=True))

    # A column may be written in several ways, of which the first examples show only some.
    for _ in range(_MAX_ROUNDS):
        attempts = [parse_timestamps(layout, sample, zone) for layout in layouts]
        unread = _find_unread(sample, attempts)
        more = match_formats(unread)
        if not set(more) - set(layouts):
            break
        layouts.update(dict.fromkeys(more))

    if count < _MANY_TEXTS or len(layouts) < 2:
        return list(layouts)

    # What the last round may have added was not tried on the sample, and is left out.
    pairs = zip(layouts, attempts, strict=False)
    fitting = [layout for layout, parsed in pairs if parsed.good.all()]
    return fitting or list(layouts)


def _choose_examples(unique: pa.Array) -> list[str]:
    """The first texts and some that are spread over all, each once; "" for an empty one."""
    count = len(unique)
    first = unique[:5].to_pylist()
    step = max(1, count // 20)
    evenly = list(range(0, count, step))
    spread = unique.take(evenly).to_pylist()

    texts = [text or "" for text in first + spread]
    return list(dict.fromkeys(texts))


def _keep_common_languages(layouts_by_text: Sequence[list[str]]) -> dict[str, None]:
    """All layouts of some texts, without the languages that do not know the name of each text."""
    common: set[str] | None = None
    for layouts in layouts_by_text:
        languages = {split_language(layout)[0] for layout in layouts}
        if languages and "" not in languages:
            common = languages if common is None else common & languages

    # A dictionary keeps each layout once, in the order in which it was found.
    kept: dict[str, None] = {}
    for layouts in layouts_by_text:
        for layout in layouts:
            language, _ = split_language(layout)
            if not language or not common or language in common:
                kept[layout] = None
    return kept


def _find_unread(texts: pa.Array, attempts: Sequence[ParsedTimestamps]) -> str:
    """A text that the layout which fits most of them does not; "" where there is none."""
    if not attempts:
        return ""
    best = max(attempts, key=lambda parsed: int(parsed.good.sum()))
    if best.good.all():
        return ""

    is_unread = ~best.good
    first_unread = int(is_unread.argmax())
    return texts[first_unread].as_py() or ""


def _other_periods(layouts: Sequence[str] | dict[str, None]) -> list[str]:
    """Layouts of quarters and weeks that look like those of months, and weeks of another kind."""
    others = []
    for layout in layouts:
        codes = set(re.findall("%[-_]?([A-Za-z])", layout))
        if codes == {"Y", "m"}:
            in_quarters = layout.replace("%m", "%q")
            in_weeks = layout.replace("%Y", "%G").replace("%m", "%V")
            others += [in_quarters, in_weeks, _to_epidemic(in_weeks)]
        elif "%V" in layout and "%u" not in layout:
            others.append(_to_epidemic(layout))
    return others


def _to_epidemic(layout: str) -> str:
    return layout.replace("%G", "%E").replace("%V", "%U")


def period_of_layout(layout: str) -> str:
    """The directive of the shortest period that a layout names where it names no day."""
    for code in ("d", "j", "U", "V", "h", "q", "m"):
        if re.search(f"%[-_]?{code}", layout):
            return code

    # A month may be a name, too.
    if re.search("%[-_]?[bB]", layout):
        return "m"
    return "Y"


def keep_likeliest_period(
    fitting: Sequence[ParsedTimestamps], name: str
) -> list[ParsedTimestamps]:
    """Of layouts that fit all texts, those of the period that is most likely meant.

    The name of the column decides, then the texts: numbers of 1 to 4 that come in several years,
    each of them, are quarters, and months else.
    """
    by_period: dict[str, list[ParsedTimestamps]] = {}
    for parsed in fitting:
        period = period_of_layout(parsed.layout)
        by_period.setdefault(period, []).append(parsed)

    # The first place of a period in the ranking counts.
    ranking = ["d", "j", "h", "m", "q", "V", "U", "Y"]
    is_month_or_quarter = "q" in by_period and "m" in by_period
    if is_month_or_quarter and _are_all_quarters(by_period["q"][0]):
        ranking.insert(0, "q")
    ranking.insert(0, period_of_name(name))

    best = min(by_period, key=ranking.index)
    return by_period[best]


def _are_all_quarters(parsed: ParsedTimestamps) -> bool:
    """Whether quarters of at least two years come, all four of them."""
    months = parsed.instants.view("M8[us]").astype("M8[M]").astype(np.int64)
    years, months_of_year = np.divmod(months, 12)
    return len(np.unique(months_of_year)) == 4 and len(np.unique(years)) > 1


def find_different_readings(
    fitting: Sequence[ParsedTimestamps],
) -> list[ParsedTimestamps]:
    """The first reading and the others that differ from it in an instant."""
    best = fitting[0]
    different = [best]
    for parsed in fitting[1:]:
        if not np.array_equal(parsed.universal(), best.universal()):
            different.append(parsed)
    return different


def plain_layout(layout: str) -> str:
    """A layout as people write it: with leading zeros, and without the spelling of names."""
    return without_spellings(layout).replace("%-", "%").replace("%_", "%")


def describe_reading(parsed: ParsedTimestamps, name: str, example: str) -> list[str]:
    """Notes on what could have been meant otherwise in texts that were read without being told."""
    layout = parsed.layout
    notes = []

    leading = re.match(r"%-?([dm])[/. -]%-?[dm]", layout)
    if leading:
        notes.append(f"dates read as {_DAY_MONTH_ORDERS[leading[1]]}")

    language, _ = split_language(layout)
    if language not in ("", "en"):
        from lstmcast.timeaxis.language.month_table import LANGUAGES

        notes.append(f"names of months are {LANGUAGES[language]}")

    period = period_of_layout(layout)
    if period in WEEK_NOTES:
        notes.append(WEEK_NOTES[period])

    # Nobody takes quarters for months where a letter beside them, or the name, says what they are.
    bare = re.sub(r"%[-_]?[A-Za-z]", "", layout)
    says_quarter = re.search(r"[^\W\d_]", bare) or period_of_name(name) == "q"
    if period == "q" and not says_quarter:
        months = plain_layout(layout).replace("%q", "%m")
        notes.append(
            f"dates like {example!r} read as quarters; of months: --date-format {months}"
        )

    if re.match("FY|fy", layout):
        notes.append("fiscal years are laid out as calendar years")
    return notes


def describe_ambiguity(
    readings: Sequence[ParsedTimestamps], texts: pa.Array, unique: pa.Array
) -> tuple[str, list[str]]:
    """What is ambiguous about texts that are read in several ways, and the layouts to name."""
    best, other = readings[:2]
    layouts = [plain_layout(best.layout), plain_layout(other.layout)]
    first, _ = split_language(best.layout)
    second, _ = split_language(other.layout)

    # Languages with a name in common give it to different months.
    if first != second:
        differs = best.universal() != other.universal()
        place = int(differs.argmax())
        meanings = [_describe_month(parsed, place) for parsed in (best, other)]
        both_meanings = " and ".join(meanings)
        example = unique[place].as_py()
        return f"{example!r} is {both_meanings}", layouts

    example = texts[0].as_py()
    message = (
        f"day and month are ambiguous in all of {len(texts)} rows, as in {example!r}"
    )
    return message, layouts


def _describe_month(parsed: ParsedTimestamps, place: int) -> str:
    from lstmcast.timeaxis.language.month_table import LANGUAGES

    language, _ = split_language(parsed.layout)
    language_name = LANGUAGES[language or "en"]

    stamp = parsed.instants[[place]].view("M8[us]")[0]
    day = str(stamp)[: len("2020-01-31")]
    return f"{day} in {language_name}"

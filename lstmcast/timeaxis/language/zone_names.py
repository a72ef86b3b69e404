"""Names of clocks, like EST: how far ahead of UTC they are, and which name several clocks.

Only names with one meaning in common use have an offset here. "PST" and "EST" are those of North
America, as in RFC 2822.
"""

from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

OFFSET_MINUTES_BY_NAME = {
    **{"UTC": 0, "GMT": 0, "UT": 0, "WET": 0, "WEST": 60, "CET": 60, "CEST": 120},
    **{"MEZ": 60, "MESZ": 120, "EET": 120, "EEST": 180, "MSK": 180},
    **{"EST": -300, "EDT": -240, "MST": -420, "MDT": -360, "PST": -480, "PDT": -420},
    **{"AKST": -540, "AKDT": -480, "HST": -600, "NST": -210, "NDT": -150},
    **{"AEST": 600, "AEDT": 660, "ACST": 570, "ACDT": 630, "AWST": 480},
    **{"NZST": 720, "NZDT": 780, "JST": 540, "KST": 540, "HKT": 480, "SGT": 480},
    **{"SAST": 120, "CAT": 120, "EAT": 180, "WAT": 60, "BRT": -180, "PKT": 300},
    **{"WIB": 420, "WITA": 480, "WIT": 540, "ICT": 420, "NPT": 345},
}
"""Minutes ahead of UTC."""
ZONES_BY_AMBIGUOUS_NAME = {
    "CST": ("America/Chicago", "Asia/Shanghai"),
    "CDT": ("America/Chicago", "America/Havana"),
    "IST": ("Asia/Kolkata", "Asia/Jerusalem"),
    "BST": ("Europe/London", "Asia/Dhaka"),
    "AST": ("America/Halifax", "Asia/Riyadh"),
    "ADT": ("America/Halifax", "Asia/Baghdad"),
    "GST": ("Asia/Dubai", "Atlantic/South_Georgia"),
    "SST": ("Pacific/Pago_Pago", "Asia/Singapore"),
    "AMT": ("America/Manaus", "Asia/Yerevan"),
    "ECT": ("America/Guayaquil", "America/Puerto_Rico"),
    "WST": ("Australia/Perth", "Pacific/Apia"),
    "PYT": ("America/Asuncion", "Asia/Pyongyang"),
}
"""Names that mean several clocks, each with zones that it may stand for."""
_OLDER_NAMES = {
    **{
        "Asia/Dubai": {"GST": 240},
        "Asia/Riyadh": {"AST": 180},
        "Asia/Dhaka": {"BST": 360},
    },
    **{"Asia/Baghdad": {"ADT": 240}, "Atlantic/South_Georgia": {"GST": -120}},
    **{"Asia/Singapore": {"SST": 480}, "America/Manaus": {"AMT": -240}},
    **{"Asia/Yerevan": {"AMT": 240}, "America/Guayaquil": {"ECT": -300}},
    **{"America/Puerto_Rico": {"ECT": -240}, "Australia/Perth": {"WST": 480}},
    **{"Pacific/Apia": {"WST": 780}, "America/Asuncion": {"PYT": -180}},
    **{"Asia/Pyongyang": {"PYT": 540}},
}
"""Names of clocks that the zone data give as numbers now."""


def is_zone_name(word: str) -> bool:
    """Whether a word is a known name of a clock, with one meaning or several."""
    return word in OFFSET_MINUTES_BY_NAME or word in ZONES_BY_AMBIGUOUS_NAME


def find_offset_minutes(word: str, zone: str | None) -> int | None:
    """Minutes ahead of UTC of a named clock: in a zone if given; None where it is not known."""
    # A fixed offset like "+01:00" has no names of its own.
    if zone and zone[:1] not in "+-":
        names = _names_in_zone(zone)
        if word in names:
            return names[word]
    return OFFSET_MINUTES_BY_NAME.get(word)


@cache
def _names_in_zone(zone: str) -> dict[str, int]:
    """The names that a zone's clocks have had in winter and summer since 1970."""
    info = ZoneInfo(zone)
    names = dict(_OLDER_NAMES.get(zone, {}))
    for year in range(1970, 2038):
        # In one of these it is winter, and in the other summer, in either hemisphere.
        for month in (1, 7):
            moment = datetime(year, month, 1, tzinfo=info)
            offset = moment.utcoffset()
            if offset is None:
                continue

            name = moment.tzname() or ""
            seconds = int(offset.total_seconds())
            names[name] = seconds // 60
    return names


def name_clock(offset: int, known: dict[str, int]) -> str:
    """The name of a clock so many minutes ahead of UTC, of the family of the known ones."""
    for name, minutes in known.items():
        if minutes == offset:
            return name

    # EST is followed by EDT, and CET by CEST: of the same first letter.
    for name, minutes in OFFSET_MINUTES_BY_NAME.items():
        if minutes == offset and any(name[0] == other[0] for other in known):
            return name

    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset), 60)
    return f"{sign}{hours:02d}{minutes:02d}"

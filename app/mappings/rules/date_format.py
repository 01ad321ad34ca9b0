"""Formats of dates: the letters of PHP's date(), and strftime where a % is written."""

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Part = Callable[[datetime], str]
Format = Callable[[datetime], str]

# English and fixed, as PHP's date() is: calendar.day_name follows the process's locale.
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)


def _ordinal(moment: datetime) -> str:
    if moment.day in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(moment.day % 10, "th")


def _offset(moment: datetime) -> timedelta:
    return moment.utcoffset() or timedelta(0)


def _hours_minutes(moment: datetime, separator: str) -> str:
    seconds = int(_offset(moment).total_seconds())
    hours, rest = divmod(abs(seconds), 3600)
    return f"{'-' if seconds < 0 else '+'}{hours:02}{separator}{rest // 60:02}"


def _colon_or_zulu(moment: datetime) -> str:
    return _hours_minutes(moment, ":") if _offset(moment) else "Z"


def _zone(moment: datetime) -> str:
    if isinstance(moment.tzinfo, ZoneInfo):
        return moment.tzinfo.key
    return "Z" if moment.tzname() == "Z" else _hours_minutes(moment, ":")


def _zone_short(moment: datetime) -> str:
    if isinstance(moment.tzinfo, ZoneInfo):
        return moment.tzname() or ""
    return _zone(moment)


def _epoch(moment: datetime) -> int:
    # Subtracting the offset by hand cannot leave the calendar, as astimezone() does in year 1.
    wall = moment.replace(tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)
    return (wall - _offset(moment)) // timedelta(seconds=1)


def _swatch(moment: datetime) -> str:
    beats = (_epoch(moment) + 3600) % 86400 * 10 // 864
    return f"{beats:03}"


def _twelve(moment: datetime) -> int:
    return moment.hour % 12 or 12


LETTERS: dict[str, Part] = {
    "d": lambda at: f"{at.day:02}",
    "D": lambda at: DAYS[at.weekday()][:3],
    "j": lambda at: str(at.day),
    "l": lambda at: DAYS[at.weekday()],
    "N": lambda at: str(at.isoweekday()),
    "S": _ordinal,
    "w": lambda at: str(at.isoweekday() % 7),
    "z": lambda at: str(at.timetuple().tm_yday - 1),
    "W": lambda at: f"{at.isocalendar().week:02}",
    "F": lambda at: MONTHS[at.month - 1],
    "m": lambda at: f"{at.month:02}",
    "M": lambda at: MONTHS[at.month - 1][:3],
    "n": lambda at: str(at.month),
    "t": lambda at: str(calendar.monthrange(at.year, at.month)[1]),
    "L": lambda at: str(int(calendar.isleap(at.year))),
    "o": lambda at: f"{at.isocalendar().year}",
    "X": lambda at: f"+{at.year:04}",
    "x": lambda at: f"{at.year:04}",
    "Y": lambda at: f"{at.year:04}",
    "y": lambda at: f"{at.year % 100:02}",
    "a": lambda at: "am" if at.hour < 12 else "pm",
    "A": lambda at: "AM" if at.hour < 12 else "PM",
    "B": _swatch,
    "g": lambda at: str(_twelve(at)),
    "G": lambda at: str(at.hour),
    "h": lambda at: f"{_twelve(at):02}",
    "H": lambda at: f"{at.hour:02}",
    "i": lambda at: f"{at.minute:02}",
    "s": lambda at: f"{at.second:02}",
    "u": lambda at: f"{at.microsecond:06}",
    "v": lambda at: f"{at.microsecond // 1000:03}",
    "e": _zone,
    "I": lambda at: str(int(bool(at.dst()))),
    "O": lambda at: _hours_minutes(at, ""),
    "P": lambda at: _hours_minutes(at, ":"),
    "p": _colon_or_zulu,
    "T": _zone_short,
    "Z": lambda at: str(int(_offset(at).total_seconds())),
    "U": lambda at: str(_epoch(at)),
}
LETTERS["c"] = lambda at: format_moment(at, "Y-m-d\\TH:i:sP")
LETTERS["r"] = lambda at: format_moment(at, "D, d M Y H:i:s O")

# strftime's directives in PHP's letters: rendered alike everywhere, whatever the locale.
DIRECTIVES = {
    "a": "D",
    "A": "l",
    "b": "M",
    "h": "M",
    "B": "F",
    "d": "d",
    "D": "m/d/y",
    "f": "u",
    "F": "Y-m-d",
    "G": "o",
    "H": "H",
    "I": "h",
    "m": "m",
    "M": "i",
    "p": "A",
    "R": "H:i",
    "s": "U",
    "S": "s",
    "T": "H:i:s",
    "u": "N",
    "V": "W",
    "w": "w",
    "y": "y",
    "Y": "Y",
    "z": "O",
    "Z": "T",
    "%": "%",
}

_PHP_PART = re.compile(r"\\(.)|(.)", re.DOTALL)
_STRFTIME_PART = re.compile(r"%(.?)|([^%]+)", re.DOTALL)


def unknown_directives(pattern: str) -> list[str]:
    """The strftime directives in the pattern that are not understood, as `%Q`."""
    if "%" not in pattern:
        return []
    names = (found[1] for found in _STRFTIME_PART.finditer(pattern) if found[2] is None)
    return [f"%{name}" for name in names if name not in DIRECTIVES and name != "j"]


def format_moment(moment: datetime, pattern: str) -> str:
    """The moment as the pattern asks; `moment` must be aware."""
    return compile_format(pattern)(moment)


@lru_cache(maxsize=512)
def compile_format(pattern: str) -> Format:
    """Read the pattern once; the same function then formats any aware datetime."""
    parts = _strftime_parts(pattern) if "%" in pattern else _php_parts(pattern)
    return lambda moment: "".join([part(moment) for part in parts])


def _php_parts(pattern: str) -> list[Part]:
    return [
        LETTERS.get(found[2]) or _literal(found[2]) if found[1] is None else _literal(found[1])
        for found in _PHP_PART.finditer(pattern)
    ]


def _strftime_parts(pattern: str) -> list[Part]:
    parts: list[Part] = []
    for found in _STRFTIME_PART.finditer(pattern):
        if found[2] is not None:
            parts.append(_literal(found[2]))
        elif found[1] == "j":  # the day of the year from 001, which PHP has no letter for
            parts.append(lambda at: f"{at.timetuple().tm_yday:03}")
        else:
            parts.extend(_php_parts(DIRECTIVES.get(found[1], "")))
    return parts


def _literal(text: str) -> Part:
    return lambda _: text

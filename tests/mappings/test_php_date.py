"""PHP's date letters, against known values and against independent computations."""

import calendar
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.mappings.rules import apply
from app.mappings.rules.date_format import format_moment

SAO_PAULO = ZoneInfo("America/Sao_Paulo")
EVENING = datetime(2024, 1, 5, 21, 7, 9, 45_678, tzinfo=SAO_PAULO)
moments = st.datetimes(
    min_value=datetime(1000, 1, 1),  # noqa: DTZ001 - hypothesis wants naive bounds
    timezones=st.sampled_from(
        [UTC, SAO_PAULO, ZoneInfo("Asia/Kolkata"), timezone(-timedelta(hours=3))]
    ),
)
all_moments = st.datetimes(timezones=st.sampled_from([UTC, SAO_PAULO, ZoneInfo("Asia/Tokyo")]))


def formatted(value: object, pattern: str) -> object:
    rule: dict[str, Any] = {"type": "date", "source": "at", "format": pattern}
    return apply({"out": rule}, {"at": value})["out"]


@pytest.mark.parametrize(
    ("letter", "text"),
    [
        ("d", "05"),
        ("D", "Fri"),
        ("j", "5"),
        ("l", "Friday"),
        ("N", "5"),
        ("S", "th"),
        ("w", "5"),
        ("z", "4"),
        ("W", "01"),
        ("F", "January"),
        ("m", "01"),
        ("M", "Jan"),
        ("n", "1"),
        ("t", "31"),
        ("L", "1"),
        ("o", "2024"),
        ("X", "+2024"),
        ("x", "2024"),
        ("Y", "2024"),
        ("y", "24"),
        ("a", "pm"),
        ("A", "PM"),
        ("B", "046"),
        ("g", "9"),
        ("G", "21"),
        ("h", "09"),
        ("H", "21"),
        ("i", "07"),
        ("s", "09"),
        ("u", "045678"),
        ("v", "045"),
        ("e", "America/Sao_Paulo"),
        ("I", "0"),
        ("O", "-0300"),
        ("P", "-03:00"),
        ("p", "-03:00"),
        ("T", "-03"),
        ("Z", "-10800"),
        ("c", "2024-01-05T21:07:09-03:00"),
        ("r", "Fri, 05 Jan 2024 21:07:09 -0300"),
        ("U", "1704499629"),
        ("Y-m-d H:i:s", "2024-01-05 21:07:09"),
        ("d/m/Y \\à\\s H\\h", "05/01/2024 às 21h"),
        ("\\\\Y", "\\2024"),
        ("Y\\", "2024\\"),
        ("q, k", "q, k"),
        ("%d/%m/%Y %H:%M", "05/01/2024 21:07"),
        ("%Y%%", "2024%"),
        ("%F %T", "2024-01-05 21:07:09"),
        ("%j dias", "005 dias"),
    ],
)
def test_a_letter_gives_its_text(letter: str, text: str) -> None:
    assert format_moment(EVENING, letter) == text


@pytest.mark.parametrize(
    ("day", "text"),
    [
        *[(1, "1st"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (12, "12th")],
        *[(13, "13th"), (21, "21st"), (22, "22nd"), (23, "23rd"), (31, "31st")],
    ],
)
def test_the_english_suffix_follows_the_day(day: int, text: str) -> None:
    assert format_moment(datetime(2024, 1, day, tzinfo=UTC), "jS") == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2024-01-15", "2024-01-15T00:00:00-03:00"),
        ("20240115", "2024-01-15T00:00:00-03:00"),
        ("2024-01-15 10:30", "2024-01-15T10:30:00-03:00"),
        (" 2024-01-15T10:30:00 ", "2024-01-15T10:30:00-03:00"),
        ("2018-12-15 10:30:00", "2018-12-15T10:30:00-02:00"),
        ("2024-01-15T10:30:00.123456", "2024-01-15T10:30:00-03:00"),
        ("2024-01-15T10:30:00Z", "2024-01-15T10:30:00+00:00"),
        ("2024-01-15T10:30:00+0530", "2024-01-15T10:30:00+05:30"),
        ("2024-01-15T10:30:00.000-03:00", "2024-01-15T10:30:00-03:00"),
        (1705311000, "2024-01-15T06:30:00-03:00"),
        (1705311000.9, "2024-01-15T06:30:00-03:00"),
        (1705311000123, "2024-01-15T06:30:00-03:00"),
        ("1705311000", "2024-01-15T06:30:00-03:00"),
        ("1705311000123", "2024-01-15T06:30:00-03:00"),
        ("@0", "1969-12-31T21:00:00-03:00"),
        (0, "1969-12-31T21:00:00-03:00"),
        (-1, "1969-12-31T20:59:59-03:00"),
    ],
)
def test_a_moment_is_read_and_keeps_its_offset(value: object, text: str) -> None:
    assert formatted(value, "c") == text


@pytest.mark.parametrize(
    "value",
    [
        *[None, "", "amanhã", "15/01/2024", "2024-13-01", "2024-02-30", "10:30", True, False],
        *[[], {}, [1705311000], 1e300, -1e300, 10**30, float("nan"), float("inf"), "9" * 500, "@"],
    ],
)
def test_what_is_no_moment_gives_null_or_the_default(value: object) -> None:
    rule = {"type": "date", "source": "at", "format": "Y"}
    document = {"out": rule, "filled": {**rule, "default": "?"}}
    assert apply(document, {"at": value}) == {"out": None, "filled": "?"}


def test_without_a_format_it_is_the_usual_one() -> None:
    document = {"out": {"type": "date", "source": "at"}}
    assert apply(document, {"at": "2024-01-15T10:30:00Z"}) == {"out": "2024-01-15 10:30:00"}


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("2024-01-15T10:30:00Z", "Z Z Z"),
        ("2024-01-15T10:30:00+00:00", "+00:00 +00:00 Z"),
        ("2024-01-15T10:30:00-03:00", "-03:00 -03:00 -03:00"),
        ("2024-01-15T10:30:00", "America/Sao_Paulo -03 -03:00"),
    ],
)
def test_zone_names_are_those_of_php(value: str, names: str) -> None:
    assert formatted(value, "e T p") == names


# letter -> the same text by another way
BY_STRFTIME = {
    "d": "%d",
    "D": "%a",
    "l": "%A",
    "N": "%u",
    "w": "%w",
    "W": "%V",
    "F": "%B",
    "m": "%m",
    "M": "%b",
    "o": "%G",
    "Y": "%Y",
    "y": "%y",
    "A": "%p",
    "h": "%I",
    "H": "%H",
    "i": "%M",
    "s": "%S",
    "u": "%f",
    "Y-m-d H:i:s": "%Y-%m-%d %H:%M:%S",
}


@given(moment=moments)
def test_the_letters_agree_with_strftime(moment: datetime) -> None:
    for letters, directives in BY_STRFTIME.items():
        assert format_moment(moment, letters) == moment.strftime(directives)
        assert format_moment(moment, directives) == moment.strftime(directives)


@given(moment=moments)
def test_the_other_letters_agree_with_the_calendar(moment: datetime) -> None:
    number = int(format_moment(moment, "U"))
    assert number == calendar.timegm(moment.utctimetuple())
    assert int(format_moment(moment, "z")) + 1 == int(moment.strftime("%j"))
    assert int(format_moment(moment, "t")) == calendar.monthrange(moment.year, moment.month)[1]
    assert format_moment(moment, "L") == str(int(calendar.isleap(moment.year)))
    assert int(format_moment(moment, "j")) == moment.day
    assert int(format_moment(moment, "n")) == moment.month
    assert int(format_moment(moment, "G")) == moment.hour
    assert int(format_moment(moment, "g")) == int(moment.strftime("%I"))
    assert int(format_moment(moment, "v")) == moment.microsecond // 1000
    internet = moment.astimezone(timezone(timedelta(hours=1)))
    beats = (internet.hour * 3600 + internet.minute * 60 + internet.second) * 1000 // 86400
    assert int(format_moment(moment, "B")) == beats


@given(moment=all_moments)
def test_iso_text_comes_back_as_the_same_moment(moment: datetime) -> None:
    whole = moment.replace(microsecond=0, tzinfo=None)
    assert formatted(whole.isoformat(), "Y-m-d\\TH:i:s") == whole.isoformat()


@given(value=st.integers() | st.floats() | st.text() | all_moments.map(str), pattern=st.text())
def test_nothing_makes_it_fail(value: object, pattern: str) -> None:
    assert isinstance(formatted_or_null(value, pattern), str | None)


def formatted_or_null(value: object, pattern: str) -> object:
    pattern = "".join(letter for letter in pattern[:90] if letter.isprintable() and letter != "%")
    return formatted(value, pattern or "Y")

"""Reading a point in time out of a JSON value."""

import re
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

OPERATION_ZONE = ZoneInfo("America/Sao_Paulo")
ZULU = timezone(timedelta(0), "Z")

# 10^11 is the year 5138 in seconds and 1973 in milliseconds: nothing real is between them.
FIRST_MILLISECONDS = 10**11
LONGEST_TEXT = 64

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Eight digits are a date (20250131), so numbers in texts count from nine digits or an @ on.
_EPOCH_TEXT = re.compile(r"@(-?[0-9]{1,16}(?:\.[0-9]+)?)|(-?[0-9]{9,16}(?:\.[0-9]+)?)")


def read_moment(value: object) -> datetime | None:
    """An aware datetime from ISO 8601 text or epoch seconds or milliseconds, else None.

    Text without an offset is in the operation's zone; a written offset is kept. Dates with
    slashes are not read: day and month cannot be told apart.
    """
    try:
        if isinstance(value, str):
            return _from_text(value.strip())
        if isinstance(value, int | float) and not isinstance(value, bool):
            return _from_epoch(value)
    except (ValueError, OverflowError):
        return None
    return None


def _from_text(text: str) -> datetime | None:
    if len(text) > LONGEST_TEXT:
        return None
    epoch = _EPOCH_TEXT.fullmatch(text)
    if epoch:
        return _from_epoch(float(epoch[1] or epoch[2]))
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        return moment.replace(tzinfo=OPERATION_ZONE)
    return moment.replace(tzinfo=ZULU) if text[-1] in "Zz" else moment


def _from_epoch(number: int | float) -> datetime:
    if abs(number) >= FIRST_MILLISECONDS:
        return (_EPOCH + timedelta(milliseconds=number)).astimezone(OPERATION_ZONE)
    return (_EPOCH + timedelta(seconds=number)).astimezone(OPERATION_ZONE)

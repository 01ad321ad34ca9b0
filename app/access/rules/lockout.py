"""How long a login must wait after failures: growing, per account and per address."""

from __future__ import annotations

import hashlib
import ipaddress

from app.clock import HOUR, MINUTE, SECOND

ACCOUNT, ADDRESS = "account", "address"
# Failures that cost nothing; many people may share an address.
FREE = {ACCOUNT: 4, ADDRESS: 20}
LONGEST = 5 * MINUTE
FORGOTTEN = 12 * HOUR


def delay(kind: str, failures: int) -> int:
    """Milliseconds to wait after that many failures: 2 s doubled each time, at most 5 min."""
    over = failures - FREE[kind]
    return 0 if over <= 0 else min(LONGEST, SECOND << min(over, 20))


def waiting(kind: str, failures: int, last_at: int, now: int) -> int:
    """Milliseconds still to wait; a failure in the future (the clock stepped) counts as now."""
    return max(0, min(last_at, now) + delay(kind, failures) - now)


def counted(failures: int, last_at: int, now: int) -> int:
    """Failures that still count; after a quiet time they are forgotten."""
    return 0 if now - last_at >= FORGOTTEN else failures


def account_subject(email: str) -> str:
    """Counter key of an account: hashed, for people type passwords into that field."""
    return hashlib.sha256(email.encode("utf-8", "replace")).hexdigest()


def address_subject(address: str) -> str:
    """Counter key of an address; an IPv6 client owns a whole /64."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if found.version == 6:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found)

"""Where the hub may connect to: which IP addresses, and which URLs are worth storing."""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from app.config import Network

Address = IPv4Address | IPv6Address
MAX_URL = 2_000

# IANA's special-purpose ranges that are not ordinary hosts of the internet.
REFUSED_V4 = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carrier NAT
        "127.0.0.0/8",
        "169.254.0.0/16",  # link local, cloud metadata
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # 6to4 relays
        "192.168.0.0/16",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
    )
)
# Only this part of IPv6 is handed out; NAT64, unique local, link local, multicast lie outside.
GLOBAL_V6 = IPv6Network("2000::/3")
REFUSED_V6 = tuple(
    ip_network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "3fff::/20",  # documentation
    )
)
COMPATIBLE_V6 = IPv6Network("::/96")
HOST_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.IGNORECASE)
NUMBER_LABEL = re.compile(r"\d+|0x[0-9a-f]*", re.IGNORECASE)


@lru_cache(maxsize=4096)
def may_call(address: str, allowed: tuple[Network, ...] = ()) -> bool:
    """Whether the hub may connect to an IP address; `allowed` adds networks."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and ip.scope_id is not None:
        return False
    if _inside(ip, allowed):
        return True
    inner = _embedded(ip)
    if inner is not None:
        return _inside(inner, allowed) or _is_ordinary(inner)
    return _is_ordinary(ip)


def _embedded(ip: Address) -> IPv4Address | None:
    """The IPv4 address an IPv6 one stands for (mapped or compatible)."""
    if not isinstance(ip, IPv6Address):
        return None
    if ip.ipv4_mapped is not None:
        return ip.ipv4_mapped
    return IPv4Address(int(ip)) if ip in COMPATIBLE_V6 else None


def _is_ordinary(ip: Address) -> bool:
    """Whether an address is a global unicast one of the open internet."""
    if isinstance(ip, IPv4Address):
        return not _inside(ip, REFUSED_V4)
    return ip in GLOBAL_V6 and not _inside(ip, REFUSED_V6)


def _inside(ip: Address, networks: tuple[Network, ...]) -> bool:
    return any(ip.version == network.version and ip in network for network in networks)


def check_url(url: str, allowed: tuple[Network, ...] = ()) -> list[str]:
    """Problems of a URL as a destination (none: []); host names are decided when connecting."""
    if len(url) > MAX_URL:
        return [f"is longer than {MAX_URL} characters"]
    if not url.isascii() or not url.isprintable() or any(char in url for char in ' \\"<>^`{|}'):
        return ["holds characters a URL does not have"]
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ["is not a URL"]
    return _shape_problems(parts, port) or _host_problems(parts.hostname or "", allowed)


def _shape_problems(parts: SplitResult, port: int | None) -> list[str]:
    """What is wrong about everything but the host."""
    problems = []
    if parts.scheme not in ("http", "https"):
        problems.append("must begin with http:// or https://")
    if "@" in parts.netloc:
        problems.append("must not carry a user name or password")
    if parts.fragment:
        problems.append("must not have a fragment")
    if port == 0 or parts.netloc.endswith(":"):
        problems.append("has no usable port")
    return problems


def _host_problems(host: str, allowed: tuple[Network, ...]) -> list[str]:
    """What is wrong about the host: no name, an odd spelling of an address, or a refused one."""
    if not host:
        return ["has no host"]
    address = _literal(host)
    if address is None:
        return [] if is_name(host) else ["has no usable host name"]
    if not may_call(address, allowed):
        return ["points to an address the hub may not call (see HUB_ALLOWED_NETWORKS)"]
    return []


def _literal(host: str) -> str | None:
    """The address a host spells out by itself, or None for a name."""
    if host == "localhost" or host.endswith((".localhost", "localhost.")):
        return "127.0.0.1"
    try:
        return str(ip_address(host))
    except ValueError:
        return None


def is_name(host: str) -> bool:
    """Whether a host is a DNS name; numbers only (2130706433, 0x7f.1, 127.1) are not names."""
    labels = host.removesuffix(".").split(".")
    if len(host) > 253 or NUMBER_LABEL.fullmatch(labels[-1]):
        return False
    return all(HOST_LABEL.fullmatch(label) for label in labels)

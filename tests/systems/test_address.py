"""Every form of address: which ones the hub may call, and which URLs it stores."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import Network
from app.systems.rules.addresses import check_url, may_call

OPEN = [
    "8.8.8.8", "1.1.1.1", "200.160.2.3", "100.63.255.255", "100.128.0.0", "172.15.0.1",
    "172.32.0.1", "192.167.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255",
    "2001:4860:4860::8888", "2606:4700::1111", "2801:80::1", "2001:200::1",
    "::ffff:8.8.8.8", "::8.8.8.8",
]  # fmt: skip
REFUSED = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255",
    "127.0.0.1", "127.1.2.3", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1",
    "192.0.0.170", "192.0.2.1", "192.88.99.1", "192.168.1.1", "198.18.0.1", "198.19.255.255",
    "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255",
    "::", "::1", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
    "::ffff:169.254.169.254", "::ffff:0:7f00:1", "64:ff9b::808:808", "64:ff9b::7f00:1",
    "64:ff9b:1::1", "100::1", "100:0:0:1::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:2::1", "2001:10::1", "2001:20::1", "2001:db8::1", "2002::1", "2002:7f00:1::",
    "2002:808:808::1", "3fff::1", "4000::1", "5f00::1", "fc00::1", "fd12:3456::1", "fe80::1",
    "fe80::1%eth0", "2606:4700::1111%eth0", "fec0::1", "ff02::1", "ff0e::1",
    "", "example.com", "2130706433", "0x7f000001", "127.1", "0177.0.0.1", "1.2.3.4.5", "::g",
]  # fmt: skip


@pytest.mark.parametrize("address", OPEN)
def test_an_ordinary_address_may_be_called(address: str) -> None:
    assert may_call(address)


@pytest.mark.parametrize("address", REFUSED)
def test_every_other_address_is_refused(address: str) -> None:
    assert not may_call(address)


def networks(*texts: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(text) for text in texts)


@pytest.mark.parametrize(
    ("address", "allowed", "may"),
    [
        ("127.0.0.1", ("127.0.0.0/8",), True),
        ("::ffff:127.0.0.1", ("127.0.0.0/8",), True),
        ("::1", ("127.0.0.0/8",), False),
        ("::1", ("::1/128",), True),
        ("10.1.2.3", ("10.1.0.0/16",), True),
        ("10.2.2.3", ("10.1.0.0/16",), False),
        ("fd00::1", ("fd00::/8",), True),
        ("fd00::1%eth0", ("fd00::/8",), False),
        ("8.8.8.8", ("10.0.0.0/8",), True),
    ],
)
def test_allowed_networks_add_to_the_ordinary_ones(
    address: str, allowed: tuple[str, ...], may: bool
) -> None:
    assert may_call(address, networks(*allowed)) is may


@given(st.ip_addresses())
def test_nothing_the_standard_library_calls_private_may_be_called(
    ip: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    plain = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    if may_call(str(ip)):
        assert (plain or ip).is_global
        assert not (plain or ip).is_multicast


GOOD_URLS = [
    "https://crm.carinho.com.vc/api/v1/webhooks/events", "http://crm.carinho.com.vc:8080/x?y=z",
    "https://8.8.8.8/in", "https://[2606:4700::1111]:8443/", "https://xn--caf-dma.com",
    "https://a_b.example/", "HTTPS://CRM.CARINHO.COM.VC/", "https://host./", "https://intranet/x",
]  # fmt: skip
BAD_URLS = [
    "", "crm.carinho.com.vc", "//crm.carinho.com.vc/", "ftp://crm.carinho.com.vc/",
    "file:///etc/passwd", "gopher://x/", "javascript:alert(1)", "http://", "https:///path",
    "https://user@host.example/", "https://user:word@host.example/", "https://@host.example/",
    "https://host.example/#part", "https://host.example:0/", "https://host.example:65536/",
    "https://host.example:x/", "https://host.example:/", "https://host.example:-1/",
    "https://host example/", "https://host.example/a b", "https://host.example/\r\nX: y",
    "https://host.example\\@127.0.0.1/", "https://ho\tst.example/", "https://café.example/",
    "https://-host.example/", "https://host..example/", "https://.example/", "https://a*b.example/",
    "https://" + "a" * 64 + ".example/", "https://" + "a." * 130 + "example/",
    "https://host.example/" + "x" * 2000,
    "http://127.0.0.1/", "http://127.0.0.1:6379/", "http://localhost/", "http://LOCALHOST./",
    "http://x.localhost/", "http://10.0.0.1/", "http://169.254.169.254/latest/meta-data",
    "http://0.0.0.0/", "http://2130706433/", "http://0x7f000001/", "http://0x7f.1/",
    "http://017700000001/", "http://0177.0.0.1/", "http://127.1/", "http://127.0.0.1./",
    "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/", "http://[::]/",
    "http://[64:ff9b::7f00:1]/", "http://[fe80::1%25eth0]/", "http://[fd00::1]/",
    "http://[2002:7f00:1::]/", "http://[::1", "http://[127.0.0.1]/", "http://%31%32%37.0.0.1/",
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD_URLS)
def test_a_good_url_has_no_problems(url: str) -> None:
    assert check_url(url) == []


@pytest.mark.parametrize("url", BAD_URLS)
def test_a_bad_url_has_problems(url: str) -> None:
    assert check_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9001/x", "http://localhost:9001/x"])
def test_an_allowed_network_opens_its_urls(url: str) -> None:
    assert check_url(url, networks("127.0.0.0/8")) == []


@given(st.text(max_size=60))
def test_checking_never_fails(text: str) -> None:
    check_url(text)
    check_url("https://" + text)
    may_call(text)

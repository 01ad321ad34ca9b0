"""The sender and TLS: verified, always."""

from __future__ import annotations

import asyncio
import ipaddress
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from app.deliveries.http import Sender
from app.systems.rules.answer import Answer
from tests.certificates import self_signed
from tests.deliveries.rough import GOOD, LOOPBACK, outgoing, partner, run, says


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1, key included."""
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    path = tmp_path_factory.mktemp("tls") / "partner.pem"
    path.write_bytes(b"".join(self_signed("partner", address)))
    return path


def ask_over_tls(certificate: Path, trust: bool, host: str = "127.0.0.1") -> Answer:
    """One request to a TLS partner, its certificate trusted or not."""

    async def story() -> Answer:
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate)
        client = ssl.create_default_context(cafile=str(certificate)) if trust else None
        allowed = (*LOOPBACK, ipaddress.ip_network("::1"))
        good = partner(says(GOOD, then="keep"), server)
        async with good as (url, _), Sender(allowed, client) as sender:
            return await sender.send(outgoing(url.replace("127.0.0.1", host), 2))

    answer: Answer = run(story())
    return answer


def test_a_trusted_certificate_is_accepted(certificate: Path) -> None:
    assert ask_over_tls(certificate, trust=True).accepted


def test_a_self_signed_certificate_is_refused(certificate: Path) -> None:
    assert ask_over_tls(certificate, trust=False).error_class == "tls"


def test_a_certificate_of_another_host_is_refused(certificate: Path) -> None:
    assert ask_over_tls(certificate, trust=True, host="localhost").error_class == "tls"


def test_a_partner_that_does_not_speak_tls_is_refused() -> None:
    async def story() -> Answer:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(10)
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, Sender(LOOPBACK) as sender:
            return await sender.send(outgoing(f"https://127.0.0.1:{port}/", 2))

    assert run(story()).error_class == "tls"


def test_a_tls_handshake_that_hangs_ends_at_the_deadline() -> None:
    async def story() -> Answer:
        async def handler(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        server = await asyncio.start_server(handler, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with Sender(LOOPBACK) as sender:
            answer = await sender.send(outgoing(f"https://127.0.0.1:{port}/"))
        server.close()
        return answer

    assert run(story()).error_class == "timeout"

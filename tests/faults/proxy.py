"""The sample proxy as a real process: `deploy/nginx.conf` with this place's names and ports."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping
from pathlib import Path

from cryptography import x509

from tests.certificates import self_signed
from tests.house.running import ROOT, free_port, until

SAMPLE = ROOT / "deploy" / "nginx.conf"
NAME = "localhost"


def program() -> str:
    """The nginx of the PATH, or the one that scripts/nginx.sh unpacked."""
    return shutil.which("nginx") or str(ROOT / ".tools" / "usr" / "sbin" / "nginx")


class Proxy:
    """nginx in front of a hub's port; close it to end it."""

    def __init__(self, folder: Path, hub_port: int, port: int, **changed: str) -> None:
        self.port, self.plain_port = port, free_port()
        self.url = f"https://{NAME}:{port}"
        folder.mkdir(parents=True, exist_ok=True)
        self.certificate = _certificate(folder)
        self.file = folder / "nginx.conf"
        self.file.write_text(_filled(folder, hub_port, port, self.plain_port, changed))
        words = [
            program(),
            "-p",
            str(folder),
            "-c",
            str(self.file),
            "-e",
            str(folder / "error.log"),
        ]
        checked = subprocess.run([*words, "-t"], capture_output=True, text=True, check=False)
        if checked.returncode:
            raise RuntimeError(checked.stderr)
        self.process = subprocess.Popen([*words, "-g", "daemon off;"], stderr=subprocess.DEVNULL)
        until(lambda: _listens(port))

    def close(self) -> None:
        """Ask it to end at once."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(10)


def _filled(folder: Path, hub: int, tls: int, plain: int, changed: Mapping[str, str]) -> str:
    """The sample with this place's values; every one of them must be in it."""
    text = SAMPLE.read_text()
    values = {
        "127.0.0.1:5000": f"127.0.0.1:{hub}",
        "listen 443": f"listen 127.0.0.1:{tls}",
        "listen 80": f"listen 127.0.0.1:{plain}",
        "https://hub.example.com$request_uri": f"https://{NAME}:{tls}$request_uri",
        "server_name hub.example.com": f"server_name {NAME}",
        "/etc/ssl/hub": str(folder),
        **changed,
    }
    for old, new in values.items():
        assert old in text, old
        text = text.replace(old, new)
    own = f"pid {folder}/nginx.pid;\n"
    paths = "".join(
        f"    {kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return own + text.replace("http {\n", f"http {{\n{paths}", 1)


def _certificate(folder: Path) -> Path:
    """A certificate for the name, beside its key."""
    certificate, key = self_signed(NAME, x509.DNSName(NAME))
    (folder / "privkey.pem").write_bytes(key)
    path = folder / "fullchain.pem"
    path.write_bytes(certificate)
    return path


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True

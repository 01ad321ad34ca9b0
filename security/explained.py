"""Findings that were looked into and are no fault, and why."""

from __future__ import annotations

import re

START, END = "<!-- explained:start -->", "<!-- explained:end -->"
# (scanner, pattern of the finding, why it is none)
EXPLAINED: tuple[tuple[str, str, str], ...] = (
    (
        "schemathesis",
        r"ST10[0-9] Undocumented Content-Type",
        "Doors with a page for browsers and JSON for programs are described for programs only.",
    ),
    (
        "wapiti",
        r"^Secure Flag cookie: GET / .* not set in the cookie : (hub|theme|density|poll|keys)$",
        "A hub of development, without TLS; in production all have Secure (`test_sessions.py`).",
    ),
    (
        "testssl",
        r"^(cert_chain_of_trust|cert_revocation|DNS_CAArecord) ",
        "The certificate is made for the scan and signs itself; no authority stands behind it.",
    ),
    (
        "testssl",
        r"^HSTS LOW: not offered",
        "The hub of the scan believes no proxy; in production it sends it (`test_proxy.py`).",
    ),
    (
        "testssl",
        r"^(engine_problem|secure_renego|sessionresumption_ticket) WARN",
        "What the scanner's own OpenSSL 3 cannot ask; tickets are off, renegotiation is TLS 1.2's.",
    ),
)


def unexplained(scanner: str, findings: list[str]) -> list[str]:
    """What is left to mend or to explain."""
    known = [pattern for name, pattern, _ in EXPLAINED if name == scanner]
    return [text for text in findings if not any(re.search(each, text) for each in known)]


def table() -> str:
    """The explanations as Markdown."""
    lines = ["| Scanner | Finding | Why it is none |", "|---|---|---|"]
    for name, pattern, why in EXPLAINED:
        shown = pattern.replace("|", "\\|")
        lines.append(f"| {name} | `{shown}` | {why} |")
    return "\n".join(lines)


def put(text: str) -> str:
    """The document with its explanations renewed."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table()}\n{END}{rest.partition(END)[2]}"

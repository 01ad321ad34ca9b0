"""The threats, and the tests that try each of them; SECURITY.md shows this table."""

from __future__ import annotations

from dataclasses import dataclass

START, END = "<!-- threats:start -->", "<!-- threats:end -->"


@dataclass(frozen=True, slots=True)
class Threat:
    """What an attacker tries, and where it is tried in vain."""

    name: str
    tests: tuple[str, ...]


def _threat(name: str, *tests: str) -> Threat:
    return Threat(name, tuple(f"tests/{test}" for test in tests))


SSRF, SESSIONS = "security/test_ssrf.py", "access/test_sign_in.py"
THREATS = (
    _threat("SSRF: every spelling of an inside address, wherever one enters or is used", SSRF,
            "systems/test_address.py"),
    _threat("DNS rebinding, redirects, the environment's proxy", SSRF, "systems/test_call.py",
            "deliveries/test_http.py"),
    _threat("Forged, replayed, malformed or mistimed signatures", "systems/test_verify.py",
            "events/test_webhook_systems.py", "events/test_webhook_whatsapp.py",
            "security/test_signatures.py"),
    _threat("Cross-site request forgery at every unsafe door", "security/test_forgery.py"),
    _threat("Session fixation, theft, and sessions that outlive their end",
            "security/test_sessions.py", SESSIONS, "access/test_two_steps.py"),
    _threat("Script in a page: the policy of every answer", "security/test_policy.py"),
    _threat("Stored script through every stored field, in a real browser",
            "security/test_stored_script.py"),
    _threat("JSON, compression, form and mapping bombs", "security/test_bombs.py",
            "events/test_post_event.py"),
    _threat("Values that no column takes", "security/test_values.py"),
    _threat("Injection into headers, logs, spreadsheets, statements",
            "security/test_injections.py"),
    _threat("Doors open to the wrong role, key scope or network", "access/test_matrix.py",
            "access/test_guard.py"),
    _threat("Mass assignment through forms, JSON and imports", "security/test_assignment.py"),
    _threat("A key or a role that gives itself more than its maker has",
            "security/test_escalation.py"),
    _threat("Guessing of passwords, codes and keys", "security/test_guessing.py", SESSIONS,
            "access/test_two_steps.py", "access/test_decide.py"),
    _threat("Secrets and personal data in logs, exports, Redis, error pages, the audit trail",
            "security/test_canaries.py", "messages/test_call_zapi.py", "access/test_mask.py",
            "deliveries/test_show_whole.py"),
    _threat("`next=`, Host and forwarded headers", "security/test_hosts.py",
            "access/test_guard.py"),
    _threat("Patterns and searches that never end", "security/test_slow_patterns.py"),
    _threat("A start with default secrets, an open Redis, or another key than before",
            "security/test_start.py"),
    _threat("Code through Redis: pickles, foreign jobs, callbacks", "security/test_jobs.py"),
    _threat("Floods: rates per key, slow connections, slow bodies", "access/test_limit_rate.py",
            "faults/test_slow_clients.py"),
    _threat("Weak TLS, lies about addresses, and drips at the proxy", "faults/test_proxy.py"),
    _threat("A changed audit trail", "access/test_audit.py"),
    _threat("Changed third-party files and packages", "house/test_vendor.py",
            "house/test_files.py"),
)  # fmt: skip


def table(verdicts: dict[str, str] | None = None) -> str:
    """The threats as Markdown; with verdicts where the tests were run."""
    head = "| Threat | Tried by |" if verdicts is None else "| Threat | Tried by | Verdict |"
    lines = [head, "|" + "---|" * head.count(" | ") + "---|"]
    for threat in THREATS:
        tests = ", ".join(f"`{test.removeprefix('tests/')}`" for test in threat.tests)
        verdict = "" if verdicts is None else f" {verdicts[threat.name]} |"
        lines.append(f"| {threat.name} | {tests} |{verdict}")
    return "\n".join(lines)


def put(text: str) -> str:
    """The document with its table renewed."""
    before, _, rest = text.partition(START)
    return f"{before}{START}\n{table()}\n{END}{rest.partition(END)[2]}"

"""The ready-made scanners: how each is called, and what of its report counts as a finding."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from security.target import Target

ROOT = Path(__file__).parents[1]
BIN, WAPITI = ROOT / ".venv-security" / "bin", ROOT / ".venv-wapiti" / "bin" / "wapiti"
# Requests that schemathesis may make for one address.
BUDGET_PER_PATH = 12
WAPITI_SECONDS = 150
SQLMAP_SECONDS = 60
# Doors that would end the attack: they restart what is attacked or sign the attacker out.
FATAL = ("/workers/restart", "/logout", "/perfil", "/pessoas", "/chaves", "/queues")
WAPITI_MODULES = (
    "sql,timesql,xss,permanentxss,exec,file,redirect,crlf,methods,csp,http_headers,cookieflags,"
    "csrf,xxe,upload"
)
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,use_after_free"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a scanner said: its findings, and how much it looked at."""

    findings: list[str]
    looked_at: str


def _run(words: list[str], seconds: float, folder: Path) -> str:
    """The output of a scanner; what it wrote so far where its time is over."""
    output = folder / "output"
    with output.open("w") as file:
        process = subprocess.Popen(
            words, cwd=folder, stdout=file, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return output.read_text(errors="replace")


def bandit(_: Target, folder: Path) -> Report:
    """Our code for calls that are often wrong; what ruff's `noqa` explains is explained."""
    report = folder / "bandit.json"
    words = [str(BIN / "bandit"), "-q", "-r", str(ROOT / "app"), str(ROOT / "worker.py")]
    _run([*words, "-f", "json", "-o", str(report)], 120, folder)
    said = json.loads(report.read_text())
    findings = [
        f"{row['test_id']} {Path(row['filename']).relative_to(ROOT)}:{row['line_number']} "
        f"{row['issue_text']}"
        for row in said["results"]
        if row["issue_severity"] != "LOW" and "# noqa: S" not in row["code"]
    ]
    return Report(findings, f"{said['metrics']['_totals']['loc']} lines")


def semgrep(_: Target, folder: Path) -> Report:
    """Our code and templates by our own rules."""
    words = [str(BIN / "semgrep"), "scan", "--metrics=off", "--disable-version-check", "--quiet"]
    rules, places = (
        str(ROOT / "security" / "rules.yml"),
        [str(ROOT / "app"), str(ROOT / "templates")],
    )
    report = folder / "semgrep.json"
    _run([*words, "--config", rules, "--json-output", str(report), *places], 180, folder)
    said = json.loads(report.read_text())
    findings = [
        f"{row['check_id'].rpartition('.')[2]} {Path(row['path']).relative_to(ROOT)}:"
        f"{row['start']['line']}"
        for row in said["results"]
    ]
    findings += [f"not read: {error['message'][:200]}" for error in said["errors"]]
    return Report(findings, f"{len(said['paths']['scanned'])} files")


def schemathesis(target: Target, folder: Path) -> Report:
    """Every door of the description, with odd and with random requests."""
    words = [str(BIN / "schemathesis"), "run", f"{target.url}/api/openapi.json", "--no-color"]
    words += ["-H", f"X-API-Key: {target.key}", "--checks", CHECKS, "--continue-on-failure"]
    words += ["--max-examples", str(BUDGET_PER_PATH), "--request-timeout", "15"]
    words += ["--phases", "coverage,fuzzing"]
    for path in FATAL:
        words += ["--exclude-path-regex", f"^{path}"]
    output = _run(words, 600, folder)
    findings = [line.strip() for line in output.splitlines() if line.startswith("- ST")]
    looked = [line.strip() for line in output.splitlines() if "generated" in line]
    if not looked:
        findings.append("it did not come to its end: " + output[-300:])
    return Report(findings, looked[-1] if looked else "")


def wapiti(target: Target, folder: Path) -> Report:
    """The console as a signed-in manager's browser finds it, every form of it."""
    report = folder / "wapiti.json"
    words = [str(WAPITI), "-u", f"{target.url}/", "-m", WAPITI_MODULES, "--scope", "folder"]
    words += ["-H", f"Cookie: {target.cookie}", "-H", "Accept: text/html", "--flush-session"]
    words += ["--max-scan-time", str(WAPITI_SECONDS), "--max-attack-time", "30", "--depth", "4"]
    words += ["--max-links-per-page", "60", "-f", "json", "-o", str(report), "--no-bugreport"]
    words += ["--store-session", str(folder), "--store-config", str(folder), "-v", "0"]
    for path in FATAL:
        words += ["-x", f"{target.url}{path}*"]
    output = _run(words, 2 * WAPITI_SECONDS, folder)
    if not report.exists():
        return Report([f"it did not come to its end: {output[-300:]}"], "")
    said = json.loads(report.read_text())
    findings = [
        f"{kind}: {row['method']} {row['path']} {row['info'][:120]}"
        for part in ("vulnerabilities", "anomalies")
        for kind, rows in said[part].items()
        for row in rows
    ]
    pages = said["infos"].get("crawled_pages_nbr", "?")
    return Report(findings, f"{pages} pages and forms")


def sqlmap(target: Target, folder: Path) -> Report:
    """Each filter and each body for statements that can be changed from outside."""
    findings, tried = [], 0
    for name, words in _injectable(target):
        place = folder / f"sqlmap-{tried}"
        place.mkdir()
        common = [str(BIN / "sqlmap"), "--batch", "--smart", "--level=2", "--risk=1",
                  "--flush-session",
                  "--disable-coloring", "--technique=BEUS", "--timeout=15", "--retries=0",
                  f"--output-dir={place}", f"--headers=X-API-Key: {target.key}"]  # fmt: skip
        output = _run([*common, *words], SQLMAP_SECONDS, place)
        tried += 1
        findings += [
            f"{name}: {line.strip()}"
            for line in output.splitlines()
            if line.startswith("Parameter:") or "is vulnerable" in line
        ]
    return Report(findings, f"{tried} doors with parameters")


def _injectable(target: Target) -> Iterator[tuple[str, list[str]]]:
    """Arguments for each door that takes filters or a JSON body."""
    schemas = target.described["components"]["schemas"]
    for path, methods in target.described["paths"].items():
        if path.startswith(FATAL):
            continue
        place = target.url + path.replace("{", "").replace("}", "")
        for method, operation in methods.items():
            filters = {row["name"]: "1" for row in operation["parameters"] if row["in"] == "query"}
            if method == "get" and filters:
                yield f"GET {path}", ["-u", f"{place}?{urlencode(filters)}"]
            content = operation.get("requestBody", {}).get("content", {})
            ref = content.get("application/json", {}).get("schema", {}).get("$ref", "")
            if fields := schemas.get(ref.rpartition("/")[2], {}).get("properties"):
                body = json.dumps(dict.fromkeys(fields, "a"))
                words = ["-u", place, f"--method={method.upper()}", f"--data={body}"]
                yield f"{method.upper()} {path}", words


SCANNERS: dict[str, Callable[[Target, Path], Report]] = {
    "bandit": bandit,
    "semgrep": semgrep,
    "schemathesis": schemathesis,
    "wapiti": wapiti,
    "sqlmap": sqlmap,
}

"""The ready-made scanners: how each is called, and what of its report counts as a finding."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from security import sqlmap
from security.forms import FATAL
from security.running import BIN, ROOT, Report, run
from security.target import Target
from tests.faults.proxy import NAME, Proxy
from tests.house.running import free_port

WAPITI = ROOT / ".venv-wapiti" / "bin" / "wapiti"
# Requests that schemathesis may make for one address.
BUDGET_PER_PATH = 12
SCHEMATHESIS_SECONDS = 300
# wapiti: to find pages, for each module, and altogether.
CRAWL_SECONDS, MODULE_SECONDS, WAPITI_SECONDS = 60, 25, 420
FEWEST_PAGES = 200
WAPITI_MODULES = (
    "sql,xss,permanentxss,exec,file,redirect,crlf,methods,csp,http_headers,cookieflags,"
    "csrf,xxe,upload"
)
TESTSSL_SECONDS = 300
TESTSSL_DATA = ROOT / ".tools" / "etc" / "testssl"
HARMLESS = {"OK", "INFO"}
LAST = "scanTime"
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,"
    "response_schema_conformance,use_after_free"
)


def bandit(_: Target, folder: Path) -> Report:
    """Our code for calls that are often wrong; what ruff's `noqa` explains is explained."""
    report = folder / "bandit.json"
    words = [str(BIN / "bandit"), "-q", "-r", str(ROOT / "app"), str(ROOT / "worker.py")]
    run([*words, "-f", "json", "-o", str(report)], 120, folder)
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
    run([*words, "--config", rules, "--json-output", str(report), *places], 180, folder)
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
    output = run(words, SCHEMATHESIS_SECONDS, folder)
    findings = list(_failures(output))
    looked = [line.strip() for line in output.splitlines() if "generated" in line]
    if not looked:
        findings.append("it did not come to its end: " + output[-300:])
    return Report(findings, looked[-1] if looked else "")


def _failures(output: str) -> Iterator[str]:
    """Each failure with its door, and with the request that shows it."""
    door, kinds, status = "", list[str](), ""
    for line in map(str.strip, output.splitlines()):
        if title := re.fullmatch(r"_+ ([A-Z]+ /.*?) _+", line):
            door, kinds = title[1], []
        elif line.startswith("- ST"):
            kinds.append(line.removeprefix("- "))
        elif answered := re.match(r"\[(\d{3})\] ", line):
            status = answered[1]
        elif line.startswith("curl ") and kinds:
            yield f"{door}: {', '.join(kinds)} ({status}): {line[:1_000]}"
            kinds = []


def wapiti(target: Target, folder: Path) -> Report:
    """The console as a signed-in manager's browser finds it, every form of it."""
    report = folder / "wapiti.json"
    words = [str(WAPITI), "-u", f"{target.url}/", "-m", WAPITI_MODULES, "--scope", "folder"]
    words += ["-H", f"Cookie: {target.cookie}", "-H", "Accept: text/html"]
    words += ["--max-scan-time", str(CRAWL_SECONDS), "--max-attack-time", str(MODULE_SECONDS)]
    words += ["--depth", "4", "--max-links-per-page", "60", "--flush-session", "--no-bugreport"]
    words += ["--store-session", str(folder), "--store-config", str(folder), "-v", "1"]
    words += ["-f", "json", "-o", str(report)]
    for path in FATAL:
        words += ["-x", f"{target.url}{path}*"]
    output = run(words, WAPITI_SECONDS, folder)
    if not report.exists():
        return Report([f"it did not come to its end: {output[-300:]}"], "")
    said = json.loads(report.read_text())
    findings = [
        f"{kind}: {row['method']} {row['path']} {row['info'][:120]}"
        for part in ("vulnerabilities", "anomalies")
        for kind, rows in said[part].items()
        for row in rows
    ]
    pages = int(said["infos"].get("crawled_pages_nbr", 0))
    if pages < FEWEST_PAGES:
        findings.append(f"it found only {pages} pages and forms: was it signed in?")
    over = re.findall(r"time was reached for module (\w+)", output)
    until = f"; {', '.join(over)} for {MODULE_SECONDS} s" if over else ""
    return Report(findings, f"{pages} pages and forms{until}")


def testssl(target: Target, folder: Path) -> Report:
    """The sample proxy in front of the hub: protocols, ciphers, known holes, headers."""
    report = folder / "testssl.json"
    proxy = Proxy(folder / "proxy", int(target.url.rpartition(":")[2]), free_port())
    try:
        words = [_testssl(), "--quiet", "--warnings", "off", "--color", "0"]
        words += ["--connect-timeout", "5", "--openssl-timeout", "5", "--ip", "127.0.0.1"]
        words += ["--jsonfile", str(report), f"{NAME}:{proxy.port}"]
        output = run(words, TESTSSL_SECONDS, folder, TESTSSL_INSTALL_DIR=str(TESTSSL_DATA))
    finally:
        proxy.close()
    said = json.loads(report.read_text()) if report.exists() else []
    findings = [
        f"{row['id']} {row['severity']}: {row['finding'][:160]}"
        for row in said
        if row["severity"] not in HARMLESS
    ]
    if not any(row["id"] == LAST for row in said):
        findings.append(f"it did not come to its end: {output[-300:]}")
    return Report(findings, f"{len(said)} properties")


def _testssl() -> str:
    return shutil.which("testssl") or str(ROOT / ".tools" / "usr" / "bin" / "testssl")


SCANNERS: dict[str, Callable[[Target, Path], Report]] = {
    "bandit": bandit,
    "semgrep": semgrep,
    "schemathesis": schemathesis,
    "wapiti": wapiti,
    "sqlmap": sqlmap.scan,
    "testssl": testssl,
}

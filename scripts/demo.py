"""`make demo`: the hub with nine practice partners and a steady trickle of events.

Everything lives in a data folder of its own (`var/demo`), so that practice never meets real data.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping
from pathlib import Path

from app import config

DATA = "var/demo"
PARTNERS_PORT = "9100"
# Short enough to see a breaker open, a message die and come back within a few minutes.
PATIENCE = {
    "RETRY_BASE_DELAY": "5",
    "RETRY_MAX_ATTEMPTS": "4",
    "CIRCUIT_BREAKER_TIMEOUT": "15",
    "DELIVERY_TIMEOUT": "8",
    "DELIVERY_LEASE": "15",
}


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The demo's variables; what the caller set wins."""
    port = given.get("PARTNERS_PORT", PARTNERS_PORT)
    base = f"http://127.0.0.1:{port}"
    made = {
        "HUB_DATA_DIR": DATA,
        "HUB_ALLOWED_NETWORKS": "127.0.0.0/8",
        "PARTNERS_PORT": port,
        "PARTNERS_WEBHOOK_SECRET": secrets.token_urlsafe(32),
        "ZAPI_INSTANCE_ID": "demo",
        "ZAPI_TOKEN": secrets.token_hex(16),
        "ZAPI_CLIENT_TOKEN": secrets.token_hex(16),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(int(port) + 1),
        "SMTP_TLS": "none",
        **PATIENCE,
    }
    for system in config.SYSTEMS:
        url, key, secret = config.system_variables(system)
        made |= {url: f"{base}/{system}", secret: made["PARTNERS_WEBHOOK_SECRET"]}
        if key:
            made[key] = secrets.token_urlsafe(24)
    return {**made, **given}


def proofs(settings: config.Settings) -> dict[str, str]:
    """Prepare the database; what the partners must know: their hub key and the signing secrets."""
    from app import create_app
    from app.db import reading
    from app.schema import prepare
    from app.systems.queries.snapshot import targets

    app = create_app(settings)
    password = prepare(app)
    with app.app_context(), reading() as connection:
        key = _kept_key(settings.data_dir / "partners.key")
        known = {target.system: target.secrets[0] for target in targets(connection).values()}
    return {
        "PARTNERS_API_KEY": key,
        "PARTNERS_ENDPOINT_SECRETS": json.dumps(known),
        "DEMO_PASSWORD": password or "",
    }


def _kept_key(path: Path) -> str:
    """The partners' API key, made on the first start and kept beside the demo's database."""
    from app.access.actions.api_keys import generate_api_key
    from app.access.actor import terminal

    if not path.exists():
        new = generate_api_key(terminal(), "Parceiros de treino", ["events:write"])
        path.touch(mode=0o600)
        path.write_text(new.key, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def main() -> None:
    """Prepare, then become the supervisor with the partners beside the hub."""
    environ = environment(os.environ)
    os.environ.update(environ)
    settings = config.load()
    told = proofs(settings)
    if password := told.pop("DEMO_PASSWORD"):
        print(f"demo: {settings.admin_email} / {password} (printed once)", flush=True)
    print(f"demo: partners on http://127.0.0.1:{environ['PARTNERS_PORT']}/_partners/ui", flush=True)
    os.environ.update(told)
    folder = Path(__file__).parent
    words = [sys.executable, "-m", "app.supervisor", "Procfile", str(folder / "Procfile.demo")]
    os.execv(sys.executable, words)  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main()

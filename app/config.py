"""Settings: one class, read once from the environment; a bad value stops the start by name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from app.config_fields import (
    SYSTEMS,
    Names,
    Network,
    Networks,
    OnOff,
    SystemSettings,
    default_system_url,
    setting,
    system_variables,
)
from app.config_production import gaps

__all__ = [
    "SYSTEMS",
    "Network",
    "Settings",
    "SettingsError",
    "SystemSettings",
    "default_system_url",
    "load",
    "reference",
    "system_variables",
]


class SettingsError(Exception):
    """The environment does not describe a hub that may start; the text names each variable."""


class Settings(BaseModel):
    """Everything that can be set from outside, with unit, default and reason."""

    model_config = ConfigDict(frozen=True, extra="ignore", arbitrary_types_allowed=True)

    env: Literal["development", "production"] = setting(
        "HUB_ENV", "development", "`production` refuses default secrets and unsigned webhooks"
    )
    name: str = setting("HUB_NAME", "carinho-integracoes", "name shown by /status and in logs")
    commit: str = setting(
        "HUB_COMMIT", "", "commit of this release, for the audit trail; else the working copy's"
    )
    host: str = setting(
        "HUB_HOST", "127.0.0.1", "address to listen on; loopback unless told otherwise"
    )
    port: int = setting("PORT", 8000, "TCP port of the web process", ge=1, le=65535)
    data_dir: Path = setting(
        "HUB_DATA_DIR", Path("var"), "folder of the database, the embedded Redis and the secret"
    )
    database_url: str = setting(
        "DATABASE_URL",
        "",
        "SQLAlchemy URL; empty: SQLite in the data folder; `postgresql://…` and `mysql://…` too",
    )
    redis_url: str = setting(
        "REDIS_URL", "", "Redis to use; empty: an embedded one on a Unix socket in the data folder"
    )
    secret_key: str = setting(
        "HUB_SECRET_KEY",
        "",
        "signs sessions and encrypts stored secrets; empty in development: made once in the data "
        "folder; at least 32 characters in production",
    )
    public_url: str = setting(
        "HUB_PUBLIC_URL",
        "",
        "address that users type (links, host check); https in production",
    )
    allowed_hosts: Names = setting(
        "HUB_ALLOWED_HOSTS", (), "further Host names answered, beside loopback and HUB_PUBLIC_URL"
    )
    trusted_proxies: int = setting(
        "HUB_TRUSTED_PROXIES",
        0,
        "number of proxies whose X-Forwarded-* are believed; to be said in production",
        ge=0,
        le=5,
    )
    trusted_networks: Networks = setting(
        "HUB_TRUSTED_NETWORKS",
        (),
        "networks that read /status and the like without a key, beside unforwarded loopback",
    )
    allowed_networks: Networks = setting(
        "HUB_ALLOWED_NETWORKS",
        (),
        "private networks the hub may call (endpoints there are refused otherwise)",
    )
    admin_email: str = setting(
        "HUB_ADMIN_EMAIL", "gestao@carinho.com.vc", "login of the first manager, made once"
    )
    admin_password: str = setting(
        "HUB_ADMIN_PASSWORD", "", "password of the first manager; empty: random, printed once"
    )
    timezone: str = setting(
        "HUB_TIMEZONE", "America/Sao_Paulo", "zone of schedules and of everything shown"
    )
    workers: str = setting(
        "HUB_WORKERS", "high=2", "processes per Procfile line, others 1: `high=3,default=2`"
    )
    web_threads: int = setting(
        "HUB_WEB_THREADS", 32, "threads answering requests in the web process", ge=1, le=256
    )
    live_poll: OnOff = setting(
        "LIVE_POLL", 2.0, "seconds between refreshes of a live page; `off` stops them", ge=0, le=60
    )
    session_hours: float = setting(
        "HUB_SESSION_HOURS", 12.0, "hours after which a login ends", gt=0, le=168
    )
    max_body_bytes: int = setting(
        "HUB_MAX_BODY_BYTES", 1_048_576, "largest request body, bytes", ge=1024, le=67_108_864
    )
    max_nesting: int = setting(
        "HUB_MAX_NESTING", 32, "deepest nesting of objects and lists in a payload", ge=4, le=100
    )
    rate_limit_per_minute: int = setting(
        "RATE_LIMIT_PER_MINUTE", 60, "sustained requests per minute and API key", ge=1
    )
    rate_limit_burst: int = setting(
        "RATE_LIMIT_BURST", 100, "requests a key may send at once after a pause", ge=1
    )
    retry_max_attempts: int = setting(
        "RETRY_MAX_ATTEMPTS", 5, "attempts before a delivery becomes a dead letter", ge=1, le=50
    )
    retry_base_delay: float = setting(
        "RETRY_BASE_DELAY", 60.0, "seconds before the second attempt", gt=0, le=3600
    )
    retry_backoff_multiplier: float = setting(
        "RETRY_BACKOFF_MULTIPLIER", 2.0, "factor from one delay to the next", ge=1, le=10
    )
    retry_max_delay: float = setting(
        "RETRY_MAX_DELAY", 3600.0, "seconds; no delay is longer, Retry-After included", gt=0
    )
    breaker_failures: int = setting(
        "CIRCUIT_BREAKER_FAILURE_THRESHOLD", 5, "failures in a row that open a breaker", ge=1
    )
    breaker_timeout: float = setting(
        "CIRCUIT_BREAKER_TIMEOUT", 60.0, "seconds an open breaker waits before its probe", gt=0
    )
    breaker_successes: int = setting(
        "CIRCUIT_BREAKER_SUCCESS_THRESHOLD", 2, "successful probes that close a breaker", ge=1
    )
    delivery_connect_timeout: float = setting(
        "DELIVERY_CONNECT_TIMEOUT", 5.0, "seconds to connect to an endpoint", gt=0, le=60
    )
    delivery_timeout: float = setting(
        "DELIVERY_TIMEOUT", 15.0, "seconds for a whole delivery, connecting included", gt=0, le=120
    )
    call_connect_timeout: float = setting(
        "CALL_CONNECT_TIMEOUT", 3.0, "seconds to connect to a system's API and Z-API", gt=0, le=60
    )
    call_timeout: float = setting(
        "CALL_TIMEOUT", 10.0, "seconds for a whole call to a system's API and Z-API", gt=0, le=120
    )
    delivery_lease: float = setting(
        "DELIVERY_LEASE",
        30.0,
        "seconds after which the rows of a dead worker are taken over; above DELIVERY_TIMEOUT",
        gt=0,
        le=600,
    )
    delivery_in_flight: int = setting(
        "DELIVERY_IN_FLIGHT", 1024, "requests at once per worker and system", ge=1, le=2000
    )
    event_retention_days: int = setting(
        "EVENT_RETENTION_DAYS", 30, "days a processed event is kept", ge=1
    )
    dlq_retention_days: int = setting(
        "DLQ_RETENTION_DAYS", 90, "days an archived dead letter is kept", ge=1
    )
    audit_retention_days: int = setting("AUDIT_RETENTION_DAYS", 90, "days of audit trail", ge=30)
    zapi_enabled: bool = setting("ZAPI_ENABLED", True, "whether WhatsApp is asked for its state")
    zapi_instance_id: str = setting("ZAPI_INSTANCE_ID", "", "instance of the Z-API account")
    zapi_token: str = setting("ZAPI_TOKEN", "", "token of the instance (never logged)")
    zapi_client_token: str = setting("ZAPI_CLIENT_TOKEN", "", "Client-Token header of the account")
    zapi_webhook_token: str = setting(
        "ZAPI_WEBHOOK_TOKEN", "", "unguessable token in /webhooks/whatsapp?token=…"
    )
    zapi_min_interval: int = setting(
        "ZAPI_MIN_INTERVAL", 200, "milliseconds between two WhatsApp messages, at least",
        ge=0, le=1_000,
    )  # fmt: skip
    smtp_host: str = setting("SMTP_HOST", "", "mail server; empty: the hub sends no e-mail")
    smtp_port: int = setting("SMTP_PORT", 587, "TCP port of the mail server", ge=1, le=65535)
    smtp_user: str = setting("SMTP_USER", "", "login at the mail server; empty: none")
    smtp_password: str = setting("SMTP_PASSWORD", "", "password at the mail server (never logged)")
    smtp_tls: Literal["starttls", "tls", "none"] = setting(
        "SMTP_TLS", "starttls", "`starttls`, `tls` (from the first byte) or `none`"
    )
    smtp_from: str = setting(
        "SMTP_FROM", "Carinho com Você <contato@carinho.com.vc>", "sender of e-mails to clients"
    )
    systems: dict[str, SystemSettings] = Field(default_factory=dict)

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            raise ValueError("is no time zone, e.g. America/Sao_Paulo") from None
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> Settings:
        if self.delivery_lease <= self.delivery_timeout:
            raise ValueError("DELIVERY_LEASE must be longer than DELIVERY_TIMEOUT")
        return self

    @property
    def production(self) -> bool:
        """Whether the strict rules hold."""
        return self.env == "production"

    @property
    def zone(self) -> ZoneInfo:
        """Zone of the operation."""
        return ZoneInfo(self.timezone)

    @property
    def sqlalchemy_url(self) -> str:
        """The database address with the driver this project ships."""
        url = self.database_url or f"sqlite:///{self.data_dir.resolve() / 'hub.db'}"
        for plain, driver in (
            ("postgres://", "postgresql+psycopg://"),
            ("postgresql://", "postgresql+psycopg://"),
            ("mysql://", "mysql+pymysql://"),
            ("mariadb://", "mariadb+pymysql://"),
        ):
            if url.startswith(plain):
                return driver + url.removeprefix(plain)
        return url


def _read_systems(environ: Mapping[str, str]) -> dict[str, SystemSettings]:
    """Collect the per-system variables."""
    found = {}
    for system in SYSTEMS:
        url, key, secret = system_variables(system)
        found[system] = SystemSettings(
            url=(environ.get(url) or default_system_url(system)).rstrip("/"),
            api_key=environ.get(key, ""),
            webhook_secret=environ.get(secret, ""),
        )
    return found


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the settings (`.env` under the environment); raises SettingsError naming variables."""
    if environ is None:
        file = dotenv_values(os.environ.get("HUB_ENV_FILE", ".env"))
        environ = {**{k: v for k, v in file.items() if v is not None}, **os.environ}
    given = {key: value for key, value in environ.items() if value != ""}
    try:
        settings = Settings.model_validate({**given, "systems": _read_systems(given)})
    except ValidationError as problem:
        lines = [
            f"{'.'.join(str(p) for p in e['loc']) or 'settings'}: {e['msg']}"
            for e in problem.errors()
        ]
        raise SettingsError("; ".join(lines)) from None
    if settings.production and (missing := gaps(settings)):
        raise SettingsError("; ".join(missing))
    return settings


def reference() -> list[tuple[str, str, str]]:
    """Rows (variable, default, why) for the README table and `.env.example`."""
    rows = []
    for field in Settings.model_fields.values():
        if not isinstance(field.validation_alias, str):
            continue
        default = field.default
        shown = ",".join(map(str, default)) if isinstance(default, tuple) else str(default)
        rows.append((field.validation_alias, shown, field.description or ""))
    for system in SYSTEMS:
        url, key, secret = system_variables(system)
        rows.append((url, default_system_url(system), f"base URL of {system}"))
        if key:
            rows.append((key, "", f"X-API-Key sent to {system}"))
        rows.append((secret, "", f"shared secret of webhooks coming from {system}"))
    return rows

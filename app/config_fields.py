"""The kinds of fields settings are made of: lists, networks, switches, and what a system has."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

SYSTEMS = (
    "whatsapp",
    "crm",
    "operacao",
    "financeiro",
    "cuidadores",
    "atendimento",
    "site",
    "marketing",
    "documentos",
)
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def comma_list(value: Any) -> Any:
    """Split `a, b` from the environment; leave everything else alone."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


def networks(value: Any) -> Any:
    """Parse `10.0.0.0/8, ::1` into networks."""
    return tuple(ipaddress.ip_network(part, strict=False) for part in comma_list(value))


Names = Annotated[tuple[str, ...], BeforeValidator(comma_list)]
Networks = Annotated[tuple[Network, ...], BeforeValidator(networks)]
OnOff = Annotated[
    float, BeforeValidator(lambda value: 0 if str(value).lower() in ("off", "") else value)
]


class SystemSettings(BaseModel):
    """What the environment says about one of the nine systems."""

    model_config = ConfigDict(frozen=True)
    url: str
    api_key: str = ""
    webhook_secret: str = ""


def setting(env: str, default: Any, why: str, **rules: Any) -> Any:
    """A setting: its variable, its default and one line of why (unit included)."""
    if isinstance(default, float):
        rules["allow_inf_nan"] = False
    return Field(default=default, validation_alias=env, description=why, **rules)


def system_variables(system: str) -> tuple[str, str, str]:
    """Names of the variables (URL, API key, webhook secret) of a system."""
    if system == "whatsapp":
        return "ZAPI_BASE_URL", "", "ZAPI_WEBHOOK_SECRET"
    stem = f"CARINHO_{system.upper()}"
    return f"{stem}_URL", f"{stem}_API_KEY", f"{stem}_WEBHOOK_SECRET"


def default_system_url(system: str) -> str:
    """Base URL of a system where none is set."""
    return "https://api.z-api.io" if system == "whatsapp" else f"https://{system}.carinho.com.vc"

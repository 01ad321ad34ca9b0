"""The page with the switches, for an operator who practises."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

MODES = {
    "ok": "Normal",
    "slow": "Lento (2 s)",
    "500": "Erro 500",
    "503": "Fora do ar (503)",
    "400": "Recusa os dados (400)",
    "429": "Limite de chamadas (429)",
    "refuse": "Recusa a conexão",
    "hang": "Não responde",
    "bad_json": "JSON inválido",
    "redirect": "Redireciona",
    "drip": "Conta-gotas",
    "lost": "Faz, mas a resposta se perde",
    "held": "Faz, mas só responde ao mudar de modo",
}
_PAGES = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)


def page(state: dict[str, Any]) -> str:
    """The page for the present state."""
    return _PAGES.get_template("ui.html").render(modes=MODES, **state)

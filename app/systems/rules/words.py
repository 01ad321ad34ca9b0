"""What is wrong with an address or a test, in the words of people; keys are the rules' own."""

from __future__ import annotations

_ADDRESS = (
    ("must begin with http", "O endereço começa com http:// ou https://."),
    ("must not carry a user", "O endereço não pode levar usuário nem senha."),
    ("must not have a fragment", "O endereço não pode ter a parte depois de #."),
    ("has no usable port", "A porta do endereço não serve."),
    ("points to an address", "O hub não pode chamar este endereço (rede interna)."),
    ("is longer", "O endereço é longo demais."),
)
_FAULTS = {
    "timeout": "O sistema não respondeu a tempo.",
    "connect": "Não foi possível conectar ao sistema.",
    "dns": "O nome do endereço não foi encontrado.",
    "tls": "O certificado de segurança do sistema não confere.",
    "blocked_address": "O hub não pode chamar este endereço (rede interna).",
    "cut_off": "A resposta foi cortada no meio.",
    "too_large": "A resposta é grande demais.",
    "protocol": "A resposta não é HTTP.",
    "invalid_url": "O endereço não serve.",
}


def address_words(problem: str) -> str:
    """A problem of `check_url` for people."""
    found = (words for start, words in _ADDRESS if problem.startswith(start))
    return next(found, "Isto não é um endereço (URL) válido.")


def fault_words(error_class: str) -> str:
    """An error class of an answer for people; '' for none."""
    return _FAULTS.get(error_class, error_class)

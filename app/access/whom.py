"""Whom to ask for what one may not do, at the addresses of today."""

from __future__ import annotations

from collections.abc import Mapping

from flask import current_app

from app.access.rules.abilities import ABILITIES
from app.access.rules.abilities import refusal as said


def refusal(ability: str) -> str:
    """Why a button is disabled and whom to ask."""
    return said(ability, _contacts())


def ask(ability: str) -> str:
    """Whom to ask for it."""
    return ABILITIES[ability].ask(_contacts())


def _contacts() -> Mapping[int, str]:
    """The levels' addresses, as whoever keeps them tells."""
    found: Mapping[int, str] = current_app.extensions["contacts"]()
    return found

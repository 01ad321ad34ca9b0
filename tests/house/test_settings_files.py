"""`.env.example` says what the settings class says, and can be used as it is."""

from __future__ import annotations

import io

from dotenv import dotenv_values

from app import config
from scripts import settings


def test_the_example_is_up_to_date() -> None:
    assert settings.EXAMPLE.read_text(encoding="utf-8") == settings.example()


def test_the_example_gives_the_defaults_when_every_line_is_used() -> None:
    text = "".join(line.removeprefix("#") for line in _assignments())
    given = {name: value or "" for name, value in dotenv_values(stream=io.StringIO(text)).items()}
    assert len(given) == len(config.reference())
    assert config.load(given) == config.load({})


def _assignments() -> list[str]:
    lines = settings.EXAMPLE.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line for line in lines if line.startswith("#") and not line.startswith("# ")]

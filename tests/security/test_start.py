"""The start: refused in production while something is default, short or open."""

from __future__ import annotations

from pathlib import Path

import pytest

from app import config, create_app, schema

GOOD = {
    "HUB_ENV": "production",
    "HUB_SECRET_KEY": "k" * 20 + "0123456789abcdef",
    "HUB_PUBLIC_URL": "https://hub.example",
    "REDIS_URL": "rediss://:a-password@redis.example:6379/0",
    "HUB_TRUSTED_PROXIES": "1",
}


def test_it_starts() -> None:
    assert config.load(GOOD).production


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"HUB_SECRET_KEY": ""}, "HUB_SECRET_KEY"),
        ({"HUB_SECRET_KEY": "short"}, "HUB_SECRET_KEY"),
        ({"HUB_SECRET_KEY": "x" * 40}, "HUB_SECRET_KEY"),
        ({"HUB_SECRET_KEY": "change-me-change-me-change-me-change-me"}, "HUB_SECRET_KEY"),
        ({"HUB_PUBLIC_URL": ""}, "HUB_PUBLIC_URL"),
        ({"HUB_PUBLIC_URL": "http://hub.example"}, "HUB_PUBLIC_URL"),
        ({"REDIS_URL": "redis://redis.example:6379/0"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://@redis.example:6379/0"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://:@redis.example:6379/0"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://user:@redis.example:6379/0"}, "REDIS_URL"),
        ({"REDIS_URL": "rediss://redis.example:6379/0?x=a@b"}, "REDIS_URL"),
        ({"HUB_ALLOWED_NETWORKS": "0.0.0.0/0"}, "HUB_ALLOWED_NETWORKS"),
        ({"HUB_TRUSTED_NETWORKS": "0.0.0.0/0"}, "HUB_TRUSTED_NETWORKS"),
        ({"HUB_TRUSTED_NETWORKS": "::/0"}, "HUB_TRUSTED_NETWORKS"),
        ({"HUB_TRUSTED_PROXIES": ""}, "HUB_TRUSTED_PROXIES"),
        ({"CARINHO_CRM_WEBHOOK_SECRET": "seven!!"}, "CARINHO_CRM_WEBHOOK_SECRET"),
        ({"ZAPI_WEBHOOK_SECRET": "z"}, "ZAPI_WEBHOOK_SECRET"),
        ({"HUB_TIMEZONE": "America/Nowhere"}, "HUB_TIMEZONE"),
        ({"HUB_TIMEZONE": "../../etc/passwd"}, "HUB_TIMEZONE"),
        ({"RETRY_MAX_DELAY": "inf"}, "RETRY_MAX_DELAY"),
        ({"DELIVERY_TIMEOUT": "nan"}, "DELIVERY_TIMEOUT"),
    ],
    ids=str,
)
def test_it_does_not_start(changes: dict[str, str], named: str) -> None:
    with pytest.raises(config.SettingsError) as problem:
        config.load(GOOD | changes)
    assert named in str(problem.value)
    assert not any(len(value) > 3 and value in str(problem.value) for value in changes.values())


@pytest.mark.parametrize("url", ["", "unix:///run/redis.sock", "redis://:word@10.0.0.5:6379/0"])
def test_a_closed_redis_will_do(url: str) -> None:
    assert config.load(GOOD | {"REDIS_URL": url}).redis_url == url


@pytest.fixture
def fresh(settings: config.Settings, tmp_path: Path) -> config.Settings:
    """An installation that was never prepared."""
    folder = tmp_path / "fresh"
    folder.mkdir(mode=0o755)
    return settings.model_copy(update={"data_dir": folder, "database_url": ""})


def test_another_key_than_before_is_no_key(fresh: config.Settings) -> None:
    schema.prepare(create_app(fresh))
    other = fresh.model_copy(update={"secret_key": "another key than before, as long as it"})
    with pytest.raises(config.SettingsError, match="HUB_SECRET_KEY"):
        schema.prepare(create_app(other))


def test_nobody_else_on_the_machine_reads_the_database(fresh: config.Settings) -> None:
    schema.prepare(create_app(fresh))
    files = list(fresh.data_dir.glob("hub.db*"))
    assert files and all(file.stat().st_mode & 0o077 == 0 for file in files)

"""The start: refused in production while something is default, short or open."""

from __future__ import annotations

import pytest

from app import config

GOOD = {
    "HUB_ENV": "production",
    "HUB_SECRET_KEY": "k" * 20 + "0123456789abcdef",
    "HUB_PUBLIC_URL": "https://hub.example",
    "REDIS_URL": "rediss://:a-password@redis.example:6379/0",
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
    ],
    ids=str,
)
def test_it_does_not_start(changes: dict[str, str], named: str) -> None:
    with pytest.raises(config.SettingsError) as problem:
        config.load(GOOD | changes)
    assert named in str(problem.value)
    assert not any(value and value in str(problem.value) for value in changes.values())


@pytest.mark.parametrize("url", ["", "unix:///run/redis.sock", "redis://:word@10.0.0.5:6379/0"])
def test_a_closed_redis_will_do(url: str) -> None:
    assert config.load(GOOD | {"REDIS_URL": url}).redis_url == url

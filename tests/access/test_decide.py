"""The pure rules of access."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.access.actor import SYSTEM, Actor
from app.access.rules import abilities, key_format, lockout, passwords, scopes
from app.access.rules.emails import normal_email
from app.access.rules.local_path import local_path
from app.access.rules.rate import SECOND, Limit, take
from app.clock import HOUR, MINUTE


def test_levels_have_what_those_below_have() -> None:
    assert len(abilities.ABILITIES) >= 14
    for ability in abilities.ABILITIES.values():
        granted = [level for level in (0, 1, 2, 3) if abilities.allowed(level, ability.name)]
        assert granted == list(range(ability.level, 4))
        assert ability.ask() in abilities.refusal(ability.name)


def test_an_unknown_ability_is_an_error() -> None:
    with pytest.raises(KeyError):
        abilities.allowed(3, "dlq.explode")


@pytest.mark.parametrize(
    ("actor", "ability", "allowed"),
    [
        (Actor("user", 1, "Ana", 1), "dlq.retry", True),
        (Actor("user", 1, "Ana", 1), "dlq.delete", False),
        (Actor("key", 1, "Sistema X", 0, ("dlq:*",)), "dlq.delete", True),
        (Actor("key", 1, "Sistema X", 0, ("events:read",)), "dlq.read", False),
        (Actor("network", None, "127.0.0.1"), "overview.read", False),
        (SYSTEM, "people.manage", True),
    ],
)
def test_actors_can(actor: Actor, ability: str, allowed: bool) -> None:
    assert actor.can(ability) is allowed


@pytest.mark.parametrize(
    ("granted", "needed", "allowed"),
    [
        (["*"], "dlq:retry", True),
        (["dlq:*"], "dlq:retry", True),
        (["dlq:retry"], "dlq:retry", True),
        (["dlq:retry"], "dlq:archive", False),
        (["events:*"], "dlq:retry", False),
        (["dlq"], "dlq:retry", False),
        ([], "dlq:retry", False),
    ],
)
def test_scopes_match(granted: list[str], needed: str, allowed: bool) -> None:
    assert scopes.allow(granted, needed) is allowed


@pytest.mark.parametrize(
    "scope", ["", "events", "events:", "Events:read", "*:read", "a:b:c", "a b"]
)
def test_malformed_scopes_are_named(scope: str) -> None:
    assert scopes.malformed(["events:read", scope]) == [scope]


def test_new_keys_are_well_formed() -> None:
    keys = {key_format.new_key() for _ in range(50)}
    assert len(keys) == 50
    assert all(key_format.well_formed(key) for key in keys)


@given(st.integers(8, 54), st.characters(codec="utf-8"))
def test_a_changed_key_is_malformed(place: int, sign: str) -> None:
    key = "carinho_0123456789012345678901234567890123456789_"
    key = next(key + c for c in [key_format._checksum(key[:-1])])
    assert key_format.well_formed(key)
    changed = key[:place] + sign + key[place + 1 :]
    assert key_format.well_formed(changed) is (changed == key)


@given(st.text(max_size=80))
def test_no_text_passes_for_a_key(text: str) -> None:
    assert not key_format.well_formed(text)


def test_the_delay_grows_to_its_limit() -> None:
    delays = [lockout.delay(lockout.ACCOUNT, count) for count in range(40)]
    assert delays[:5] == [0] * 5
    assert delays[5:8] == [2_000, 4_000, 8_000]
    assert delays == sorted(delays)
    assert delays[-1] == lockout.LONGEST == 5 * MINUTE


@given(st.integers(0, 60), st.integers(0, 10**13), st.integers(0, 10**13))
def test_no_clock_locks_out_for_longer_than_the_limit(count: int, last: int, now: int) -> None:
    assert 0 <= lockout.waiting(lockout.ADDRESS, count, last, now) <= lockout.LONGEST


def test_failures_are_forgotten() -> None:
    assert lockout.counted(9, 0, lockout.FORGOTTEN - 1) == 9
    assert lockout.counted(9, 0, 24 * HOUR) == 0


@pytest.mark.parametrize(
    ("address", "subject"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff", "2001:db8::/64"),
        ("", "unknown"),
        ("<script>", "unknown"),
    ],
)
def test_addresses_are_counted_as(address: str, subject: str) -> None:
    assert lockout.address_subject(address) == subject


@pytest.mark.parametrize(
    ("password", "count"),
    [
        ("correto cavalo bateria", 0),
        ("curta", 1),
        ("x" * 129, 2),
        ("aaaaaaaaaaaaa", 1),
        ("Password1234", 1),
        ("juliana.e.mais", 1),
        ("", 2),
    ],
)
def test_passwords_are_judged(password: str, count: int) -> None:
    assert len(passwords.problems(password, "juliana@carinho.com.vc")) == count


def test_a_password_matches_its_hash_only() -> None:
    secret = passwords.hashed("correto cavalo bateria")
    assert "m=19456,t=2,p=1" in secret
    assert passwords.matches(secret, "correto cavalo bateria")
    assert not passwords.matches(secret, "correto cavalo")
    assert not passwords.matches("nonsense", "correto cavalo bateria")
    assert not passwords.outdated(secret)
    assert not passwords.outdated(passwords.NOBODY)


@pytest.mark.parametrize(
    ("text", "email"),
    [
        (" Ana@Carinho.com.vc ", "ana@carinho.com.vc"),
        ("ana", ""),
        ("ana@carinho", ""),
        ("a b@carinho.com", ""),
        ("a@b@c.com", ""),
        ("x" * 190 + "@carinho.com", ""),
    ],
)
def test_emails_are_normal(text: str, email: str) -> None:
    assert normal_email(text) == email


@pytest.mark.parametrize(
    ("wanted", "path"),
    [
        ("/dlq?x=1", "/dlq?x=1"),
        ("/", "/"),
        ("http://hub.test/dlq?x=1#top", "/dlq?x=1"),
        (None, "/"),
        ("", "/"),
        ("dlq", "/"),
        ("//evil.test/", "/"),
        ("///here/", "/here/"),
        ("/\\evil.test", "/"),
        ("/\t/evil.test", "/"),
        ("https://evil.test/", "/"),
        ("http://hub.test.evil.test/", "/"),
        ("http://hub.test//evil.test", "/"),
        ("javascript:alert(1)", "/"),
        ("http://[", "/"),
    ],
)
def test_redirects_stay_here(wanted: str | None, path: str) -> None:
    assert local_path(wanted, "hub.test") == path


@given(
    st.integers(1, 600),
    st.integers(1, 50),
    st.lists(st.integers(0, 5 * SECOND), max_size=80),
)
def test_no_minute_passes_more_than_rate_and_burst(
    per_minute: int, burst: int, gaps: list[int]
) -> None:
    limit, mark, now, passed = Limit(per_minute, burst), 0.0, 1_000.0 * SECOND, []
    for gap in gaps:
        now += gap
        verdict, mark = take(limit, mark, now)
        assert 0 <= verdict.remaining <= per_minute
        if verdict.allowed:
            passed.append(now)
    for start in passed:
        window = [moment for moment in passed if start <= moment < start + 60 * SECOND]
        assert len(window) <= per_minute + burst


def test_the_burst_passes_and_the_next_waits() -> None:
    limit, mark, now = Limit(60, 100), 0.0, 1_000.0 * SECOND
    for _ in range(100):
        verdict, mark = take(limit, mark, now)
        assert verdict.allowed
    verdict, mark = take(limit, mark, now)
    assert (verdict.allowed, verdict.remaining, verdict.retry_after) == (False, 0, 1)
    assert verdict.reset_after == 100
    verdict, mark = take(limit, mark, now + SECOND)
    assert verdict.allowed


def test_a_clock_set_back_locks_nobody_out() -> None:
    limit = Limit(60, 1)
    _, mark = take(limit, 0.0, 10_000.0 * SECOND)
    assert take(limit, mark, 10_000.0 * SECOND - 3600 * SECOND)[0].allowed

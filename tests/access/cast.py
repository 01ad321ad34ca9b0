"""The named cast: Ana (Operação), Davi (Desenvolvimento), Gil (Gestão), and keys."""

from __future__ import annotations

from functools import cache

from flask import Flask, session
from flask.testing import FlaskClient
from flask_wtf.csrf import generate_csrf
from sqlalchemy import insert, select

from app import clock
from app.access.actions.api_keys import generate_api_key
from app.access.actions.logins import Known, begin_session
from app.access.actions.people import PREFERENCES
from app.access.actor import SYSTEM
from app.access.models import User
from app.access.rules import passwords
from app.db import transaction

NAMES = {1: "Ana", 2: "Davi", 3: "Gil"}
PASSWORD = "correto cavalo bateria"
ADDRESS = "127.0.0.1"


def email(level: int) -> str:
    """Login of the one of the cast who has this level."""
    return f"{NAMES[level].lower()}@carinho.com.vc"


@cache
def _password_hash() -> str:
    return passwords.hashed(PASSWORD)


class Cast:
    """Makes people and keys in the database of an application, quickly."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def person(self, level: int) -> Known:
        """Ana, Davi or Gil; made on first use, with PASSWORD."""
        with self.app.app_context(), transaction() as tx:
            query = select(User.id).where(User.email == email(level))
            user_id = tx.connection.execute(query).scalar_one_or_none()
            if user_id is None:
                made = tx.connection.execute(
                    insert(User).values(
                        email=email(level),
                        name=NAMES[level],
                        level=level,
                        password_hash=_password_hash(),
                        active=True,
                        created_at=clock.now(),
                        **PREFERENCES,
                    )
                )
                user_id = made.inserted_primary_key[0]
        return Known(user_id, NAMES[level], level)

    def login(self, client: FlaskClient, level: int = 1) -> Known:
        """Sign the client in; all it sends from now on carries the form token."""
        person = self.person(level)
        with self.app.test_request_context():
            token = begin_session(person, 12, ADDRESS, "tests")
            signed = generate_csrf()
            raw = session["csrf_token"]
        with client.session_transaction() as cookie:
            cookie.clear()
            cookie.update({"_user_id": token, "_fresh": True, "csrf_token": raw})
        client.environ_base["HTTP_X_CSRFTOKEN"] = signed
        return person

    def api_key(self, *scopes: str) -> str:
        """A key with these scopes (all, when none is named)."""
        with self.app.app_context():
            return generate_api_key(SYSTEM, "Sistema X", scopes or ("*",)).key

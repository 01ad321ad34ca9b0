"""What a person does with systems and endpoints in the console."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.access.rules.masking import first_line
from app.db import reading
from app.errors import Conflict, Invalid
from app.paging import AnyRow
from app.systems.actions import endpoints as actions
from app.systems.actions.systems import update_system
from app.systems.actions.trial import SHOWN, send_trial
from app.systems.queries.endpoints import find_endpoint
from app.systems.queries.systems import find_system
from app.systems.routes.api import trial_data
from app.systems.routes.pages import page_of
from app.systems.rules.words import address_words, fault_words
from app.web.answers import html

blueprint = Blueprint("system_acts", __name__, url_prefix="/sistemas")
ONE = "/endpoints/<int(max=9223372036854775807):endpoint_id>"


class Asked(BaseModel):
    """What a command carries."""

    why: str = Field("", max_length=500)
    confirmed: str = ""


class Limit(BaseModel):
    """Messages at once; '' is the setting's."""

    limit: str = Field("", pattern=r"^([1-9][0-9]{0,3})?$")


class Draft(BaseModel):
    """The form of an endpoint."""

    url: str = Field("", max_length=2000)
    description: str = Field("", max_length=200)


@blueprint.post("/<name>/pausar")
@require("systems.manage")
def pause(name: str) -> Response:
    """Hold back all that goes to the system; asks for the reason."""
    wanted, system = web.body(Asked), _system(name)
    if not (wanted.confirmed and wanted.why.strip()):
        missing = _("Escreva o motivo") if wanted.confirmed else ""
        return _ask(
            _("Pausar os envios para %(system)s?", system=system.label),
            _("As mensagens para este sistema ficam guardadas e nada sai até alguém retomar."),
            _("Pausar envios"),
            url_for("systems.show", name=name),
            reason={"label": _("Motivo"), "value": wanted.why, "error": missing},
        )
    _update(name, {"paused": True}, wanted.why.strip())
    return _told(_("Envios para %(system)s pausados.", system=system.label), name)


@blueprint.post("/<name>/retomar")
@require("systems.manage")
def resume(name: str) -> Response:
    """Let it all out again."""
    system = _system(name)
    _update(name, {"paused": False}, web.body(Asked).why.strip())
    return _told(_("Envios para %(system)s retomados.", system=system.label), name)


@blueprint.post("/<name>/limite")
@require("systems.manage")
def limit(name: str) -> Response:
    """How many messages may be under way at once."""
    _system(name)
    given = web.body(Limit).limit
    if given and int(given) > 2000:
        raise Invalid(details={"limit": [_("No máximo 2000.")]})
    _update(name, {"in_flight_limit": int(given) if given else None}, "")
    return _told(_("Limite alterado."), name)


@blueprint.post("/<name>/endpoints")
@require("systems.manage")
def create(name: str) -> Response:
    """Make an endpoint; the only answer that holds its secret."""
    draft = web.body(Draft)
    _system(name)
    try:
        made = actions.create_endpoint(name, draft.url, draft.description, by=by(), now=clock.now())
    except (Invalid, Conflict) as refused:
        return page_of(name, 422, errors=_errors(refused), draft=draft.model_dump())
    return _secret(made.id, made.secret, 201)


@blueprint.post(f"{ONE}/alterar")
@require("systems.manage")
def change(endpoint_id: int) -> Response:
    """Another address or description."""
    draft, row = web.body(Draft), _endpoint(endpoint_id)
    given = {"url": draft.url, "description": draft.description}
    try:
        actions.update_endpoint(endpoint_id, by=by(), now=clock.now(), **given)
    except (Invalid, Conflict) as refused:
        return page_of(row.system, 422, errors=_errors(refused, f"url-{endpoint_id}"), draft={})
    return _told(_("Endpoint alterado."), row.system)


@blueprint.post(f"{ONE}/ativar")
@require("systems.manage")
def activate(endpoint_id: int) -> Response:
    """Let events go there again."""
    row = _endpoint(endpoint_id)
    actions.activate_endpoint(endpoint_id, by=by(), now=clock.now())
    return _told(_("Endpoint ativado: novos eventos voltam a ir para ele."), row.system)


@blueprint.post(f"{ONE}/desativar")
@require("systems.manage")
def deactivate(endpoint_id: int) -> Response:
    """Send it no more new events."""
    row = _endpoint(endpoint_id)
    actions.deactivate_endpoint(endpoint_id, by=by(), now=clock.now())
    return _told(_("Endpoint desativado: novos eventos não vão mais para ele."), row.system)


@blueprint.post(f"{ONE}/segredo")
@require("systems.manage")
def rotate(endpoint_id: int) -> Response:
    """A new secret, shown once; asked about first."""
    row = _endpoint(endpoint_id)
    if not web.body(Asked).confirmed:
        return _ask(
            _("Trocar o segredo do endpoint %(n)s?", n=endpoint_id),
            _("O segredo antigo ainda assina por 24 horas, para o sistema aprender o novo."),
            _("Trocar segredo"),
            url_for("systems.show", name=row.system),
        )
    return _secret(endpoint_id, actions.rotate_secret(endpoint_id, by=by(), now=clock.now()), 201)


@blueprint.post(f"{ONE}/testar")
@require("systems.manage")
def test(endpoint_id: int) -> Response:
    """Send a signed test event and show the answer."""
    row = _endpoint(endpoint_id)
    trial = send_trial(endpoint_id, by=by(), now=clock.now())
    if not web.wants_html():
        return web.answer({"data": trial_data(trial)})
    body = first_line(trial.answer.body, SHOWN)
    fault = fault_words(trial.answer.error_class)
    page = render_template("systems/trial.html", row=row, trial=trial, body=body, fault=fault)
    return html(page)


def _system(name: str) -> AnyRow:
    with reading() as c:
        return find_system(c, name)


def _endpoint(endpoint_id: int) -> AnyRow:
    with reading() as c:
        return find_endpoint(c, endpoint_id)


def _update(name: str, changes: dict[str, Any], why: str) -> None:
    update_system(name, changes, by=by(), now=clock.now(), why=why or None)


def _errors(refused: Invalid | Conflict, field: str = "url") -> dict[str, str]:
    if isinstance(refused, Conflict):
        return {field: _("Este sistema já tem um endpoint com este endereço.")}
    return {
        field if name == "url" else name: " ".join(map(address_words, found))
        for name, found in refused.details.items()
    }


def _secret(endpoint_id: int, secret: str, status: int) -> Response:
    """The only answer that holds the secret."""
    row = _endpoint(endpoint_id)
    if not web.wants_html():
        return web.answer({"data": {"id": endpoint_id, "secret": secret}}, status=status)
    return html(render_template("systems/secret.html", row=row, secret=secret), status)


def _told(text: str, system: str) -> Response:
    if web.wants_html():
        flash(text, "ok")
    return web.done({"message": text}, url_for("systems.show", name=system))


def _ask(title: str, effect: str, verb: str, back: str, **more: Any) -> Response:
    return web.answer(
        {"error": "confirmed=1 is missing"},
        page="confirm.html",
        status=200 if web.wants_html() else 422,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields=request.form.to_dict(flat=False),
        cancel_url=back,
        danger=False,
        **more,
    )

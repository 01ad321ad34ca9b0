"""Commands on one incident; each works without JavaScript and has its JSON answer."""

from __future__ import annotations

from flask import Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock, web
from app.access.guards import by, require
from app.db import reading
from app.runbook.actions import escalate as escalation
from app.runbook.actions import incidents as actions
from app.runbook.queries import incidents as queries
from app.runbook.routes.door import blueprint
from app.runbook.routes.incidents import MANAGE, ONE, WRITE, incident_data
from app.runbook.rules.escalation import NAMES


class Said(BaseModel):
    """What a command carries; `why` is the reason, the note or the resolution."""

    why: str = Field("", max_length=20_000)
    severity: str = Field("", max_length=20)
    unavailable: str = ""
    confirmed: str = ""


@blueprint.post(f"{ONE}/assumir")
@require(MANAGE, scope=WRITE)
def acknowledge_incident(incident_id: int) -> Response:
    """Take it on."""
    actions.acknowledge(incident_id, by=by(), now=clock.now())
    return _told(incident_id, _("O incidente está com você."))


@blueprint.post(f"{ONE}/devolver")
@require(MANAGE, scope=WRITE)
def release_incident(incident_id: int) -> Response:
    """Give it back."""
    actions.release(incident_id, by=by(), now=clock.now())
    return _told(incident_id, _("O incidente está sem responsável."), "warn")


@blueprint.post(f"{ONE}/nota")
@require(MANAGE, scope=WRITE)
def note_incident(incident_id: int) -> Response:
    """Write into the timeline; an empty note is asked for on a page of its own."""
    wanted = web.body(Said)
    if web.wants_html() and not wanted.why.strip():
        return _ask(incident_id, _("Anotar no incidente %(n)s", n=incident_id),
                    _("A nota fica na linha do tempo, com seu nome e a hora."), _("Anotar"),
                    _("Nota"), wanted, error=_("Escreva a nota"))  # fmt: skip
    actions.add_note(incident_id, wanted.why, by=by(), now=clock.now())
    return _told(incident_id, _("Nota gravada."))


@blueprint.post(f"{ONE}/gravidade")
@require(MANAGE, scope=WRITE)
def set_incident_severity(incident_id: int) -> Response:
    """Another severity."""
    actions.set_severity(incident_id, web.body(Said).severity, by=by(), now=clock.now())
    return _told(incident_id, _("Gravidade alterada."))


@blueprint.post(f"{ONE}/indisponivel")
@require(MANAGE, scope=WRITE)
def set_incident_unavailable(incident_id: int) -> Response:
    """Whether the system works at all; starts or stops the clock of level 3."""
    wanted = web.body(Said).unavailable in ("1", "true", "True")
    actions.set_unavailable(incident_id, wanted, by=by(), now=clock.now())
    text = _("Marcado: sistema indisponível.") if wanted else _("Marcado: sistema disponível.")
    return _told(incident_id, text)


@blueprint.post(f"{ONE}/escalonar")
@require("escalate", scope=WRITE)
def escalate_incident(incident_id: int) -> Response:
    """Hand it to the next level; asked about first, with the reason."""
    wanted = web.body(Said)
    if web.wants_html() and not (wanted.confirmed and wanted.why.strip()):
        effect = _("O próximo nível é avisado agora, por e-mail e no console, e passa a responder.")
        return _ask(incident_id, _("Escalonar o incidente %(n)s?", n=incident_id), effect,
                    _("Escalonar"), _("Motivo"), wanted, _("Escreva o motivo"))  # fmt: skip
    level = escalation.escalate(incident_id, wanted.why, by=by(), now=clock.now())
    return _told(incident_id, _("Escalonado para %(level)s.", level=NAMES[level]))


@blueprint.post(f"{ONE}/encerrar")
@require(MANAGE, scope=WRITE)
def resolve_incident(incident_id: int) -> Response:
    """End it, with the cause and what helped."""
    wanted = web.body(Said)
    if web.wants_html() and not (wanted.confirmed and wanted.why.strip()):
        effect = _("Os cronômetros param e o relatório fica pronto. Dá para reabrir depois.")
        return _ask(incident_id, _("Encerrar o incidente %(n)s?", n=incident_id), effect,
                    _("Encerrar"), _("Causa e solução"), wanted,
                    _("Escreva a causa e a solução"))  # fmt: skip
    actions.resolve(incident_id, wanted.why, by=by(), now=clock.now())
    return _told(incident_id, _("Incidente encerrado. O relatório está pronto."))


@blueprint.post(f"{ONE}/reabrir")
@require(MANAGE, scope=WRITE)
def reopen_incident(incident_id: int) -> Response:
    """It was not over."""
    wanted = web.body(Said)
    if web.wants_html() and not (wanted.confirmed and wanted.why.strip()):
        effect = _("O incidente volta a ficar aberto e os cronômetros começam de novo.")
        return _ask(incident_id, _("Reabrir o incidente %(n)s?", n=incident_id), effect,
                    _("Reabrir"), _("Motivo"), wanted, _("Escreva o motivo"))  # fmt: skip
    actions.reopen(incident_id, wanted.why, by=by(), now=clock.now())
    return _told(incident_id, _("Incidente reaberto."), "warn")


def _told(incident_id: int, text: str, tone: str = "ok") -> Response:
    """The incident as it is now."""
    if web.wants_html():
        flash(text, tone)
    with reading() as c:
        row = queries.find(c, incident_id)
        step = queries.coming_step(row, queries.steps_done(c, incident_id))
    here = url_for("runbook.incident", incident_id=incident_id)
    return web.done({"data": incident_data(row, step)}, here)


def _ask(
    incident_id: int, title: str, effect: str, verb: str, label: str, wanted: Said, error: str
) -> Response:
    """The question as a page: without JavaScript, or when the words are missing."""
    with reading() as c:
        queries.find(c, incident_id)
    missing = error if wanted.confirmed else ""
    return web.answer(
        {},
        page="confirm.html",
        status=422 if missing else 200,
        title=title,
        effect=effect,
        verb=verb,
        action=request.path,
        fields={},
        cancel_url=url_for("runbook.incident", incident_id=incident_id),
        danger=False,
        reason={"label": label, "value": wanted.why, "error": missing},
    )

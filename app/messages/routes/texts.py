"""The console's pages of what clients are told: templates, quiet hours, who wants no messages."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, request, url_for
from flask_babel import gettext as _
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.access.rules.masking import mask_text
from app.db import reading
from app.errors import Invalid, NotFound
from app.messages.actions import texts as actions
from app.messages.queries import texts
from app.messages.queries.texts import OptOutFilter
from app.messages.rules.templates import CHANNELS, KINDS, Words, fill, problems
from app.web import answer, arguments, body, done
from app.web.answers import html

blueprint = Blueprint("texts", __name__, url_prefix="/messages")
MANAGE = ("messages.manage", "messages:write")
SILENCE = ("whatsapp.manage", "messages:write")
TEMPLATE = f"/templates/<key>/<any({', '.join(CHANNELS)}):channel>"
# A draft e-mail is looked at alone: nothing in it runs or is fetched.
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class TemplateForm(BaseModel):
    """A template as the page sends it; `do` is what was pressed."""

    subject: str = ""
    text: str = ""
    html: str = ""
    why: str = Field("", max_length=500)
    do: str = "save"

    @property
    def words(self) -> Words:
        """Its parts; browsers send line ends of two signs."""
        plain, marked = (each.replace("\r\n", "\n") for each in (self.text, self.html))
        return Words(self.subject.strip(), plain, marked)


class HoursForm(BaseModel):
    """Quiet hours with the reason for them."""

    starts: str = Field("", max_length=5)
    ends: str = Field("", max_length=5)
    why: str = Field("", max_length=500)


class PhoneForm(BaseModel):
    """A phone, and why it gets messages (or none)."""

    phone: str = Field("", max_length=40)
    why: str = Field("", max_length=500)


@blueprint.get("/templates")
@require("events.read", scope="messages:read")
def templates() -> Response:
    """The texts in use, and the quiet hours."""
    return _templates({}, None)


@blueprint.post("/quiet-hours")
@require(*MANAGE)
def quiet_hours() -> Response:
    """Change when nobody is disturbed."""
    form = body(HoursForm)
    why = form.why.strip() or None
    try:
        if not why:
            raise Invalid(details={"why": [_("escreva o motivo")]})
        actions.set_quiet_hours(form.starts, form.ends, by=by(), why=why)
    except Invalid as problem:
        return _templates(_first(problem), form, 422)
    flash(_("Horário de silêncio guardado."), "ok")
    data = {"starts": form.starts, "ends": form.ends}
    return done({"data": data}, url_for("texts.templates"))


@blueprint.get(TEMPLATE)
@require("events.read", scope="messages:read")
def template(key: str, channel: str) -> Response:
    """One text as a form, with its preview and its versions."""
    with reading() as c:
        words = texts.words_of(texts.newest(c, key, channel))
    return _template(key, channel, words, "", {})


@blueprint.post(TEMPLATE)
@require(*MANAGE)
def save(key: str, channel: str) -> Response:
    """Preview the draft, or store it as the newest version."""
    form = body(TemplateForm)
    wrong = problems(key, channel, form.words)
    if "key" in wrong:
        raise NotFound(_("Este modelo não existe"))
    errors = {field: "; ".join(found) for field, found in wrong.items()}
    if form.do == "mail" and not errors:
        return _mail(key, form.words)
    if form.do == "save" and not form.why.strip():
        errors["why"] = _("escreva o motivo")
    if errors or form.do != "save":
        return _template(key, channel, form.words, form.why, errors, 422 if errors else 200)
    why = form.why.strip()
    version = actions.save_template(key, channel, form.words, by=by(), now=clock.now(), why=why)
    flash(_("Versão %(n)s guardada. A próxima mensagem já sai com ela.", n=version), "ok")
    return done({"version": version}, url_for("texts.template", key=key, channel=channel))


@blueprint.get("/opt-outs")
@require("events.read", scope="messages:read")
def opt_outs() -> Response:
    """Who wants no automatic messages."""
    return _opt_outs({}, None)


@blueprint.post("/opt-outs")
@require(*SILENCE)
def opt_out() -> Response:
    """Somebody wants no automatic messages, as a person was told."""
    form = body(PhoneForm)
    try:
        if not form.why.strip():
            raise Invalid(details={"why": [_("escreva o motivo")]})
        actions.opt_out_by_hand(form.phone, by=by(), now=clock.now(), why=form.why.strip())
    except Invalid as problem:
        return _opt_outs(_first(problem), form, 422)
    flash(_("Este telefone não recebe mais mensagens automáticas."), "ok")
    return done({"message": "done"}, url_for("texts.opt_outs"), status=201)


@blueprint.post("/opt-outs/<int(max=9223372036854775807):at>/<ending>/remove")
@require(*SILENCE)
def opt_in(at: int, ending: str) -> Response:
    """Somebody wants them again; named by its moment, so that no list holds a whole phone."""
    form = body(PhoneForm)
    with reading() as c:
        phone = texts.opted_out_at(c, at, ending)
    if not form.why.strip():
        return _ask_opt_in(phone)
    actions.opt_in(phone, by=by(), why=form.why.strip())
    flash(_("Este telefone volta a receber mensagens automáticas."), "ok")
    return done({"message": "done"}, url_for("texts.opt_outs"))


def _first(problem: Invalid) -> dict[str, str]:
    """One sentence a field."""
    return {field: found[0] for field, found in problem.details.items()}


def _templates(errors: dict[str, str], form: HoursForm | None, status: int = 200) -> Response:
    with reading() as c:
        rows, quiet = texts.in_use(c), texts.quiet_hours(c)
    starts, ends = (form.starts, form.ends) if form else quiet or ("", "")
    listed = [{"key": row.key, "channel": row.channel, "version": row.version} for row in rows]
    return answer(
        {"data": listed, "quiet_hours": {"starts": starts, "ends": ends}},
        "messages/templates.html", status=status, rows=rows, kinds=KINDS, starts=starts,
        ends=ends, why=form.why if form else "", errors=errors,
    )  # fmt: skip


def _template(
    key: str, channel: str, words: Words, why: str, errors: dict[str, str], status: int = 200
) -> Response:
    kind = KINDS.get(key)
    if kind is None:
        raise NotFound(_("Este modelo não existe"))
    with reading() as c:
        versions = texts.versions(c, key, channel)
    made = fill(words, kind.samples)
    data: dict[str, Any] = {"key": key, "channel": channel, "subject": words.subject}
    data |= {"text": words.text, "html": words.html, "version": versions[0].version}
    return answer(
        {"data": data}, "messages/template.html", status=status, key=key, channel=channel,
        kind=kind, words=words, why=why, errors=errors, made=made, versions=versions,
    )  # fmt: skip


def _mail(key: str, words: Words) -> Response:
    """The draft e-mail as it would look, alone on a page that may do nothing."""
    response = html(fill(words, KINDS[key].samples).html)
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _opt_outs(errors: dict[str, str], form: PhoneForm | None, status: int = 200) -> Response:
    wanted = arguments(OptOutFilter)
    with reading() as c:
        found = texts.opt_outs(c, wanted)
    page = found.as_json(lambda row: {"phone": mask_text(row.phone), "at": clock.iso(row.at)})
    return answer(
        page, "messages/opt_outs.html", status=status, found=found, filter=wanted, errors=errors,
        phone=form.phone if form else "", why=form.why if form else "", mask=mask_text,
    )  # fmt: skip


def _ask_opt_in(phone: str) -> Response:
    """The question as a page: without JavaScript, or when the reason is missing."""
    missing = _("Escreva o motivo") if request.form.get("confirmed") else ""
    return answer(
        {"error": "why is required"},
        page="confirm.html",
        status=422 if missing else 200,
        title=_("Permitir mensagens para %(phone)s?", phone=mask_text(phone)),
        effect=_("Este telefone volta a receber as mensagens automáticas."),
        verb=_("Permitir"),
        action=request.path,
        fields={},
        cancel_url=url_for("texts.opt_outs"),
        danger=False,
        reason={"label": _("Motivo"), "value": "", "error": missing},
    )

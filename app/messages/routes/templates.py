"""JSON door of the texts to clients: what is in use, a preview, a new version, who wants none."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from pydantic import BaseModel, Field

from app import clock
from app.access.guards import by, require
from app.db import reading
from app.errors import Invalid
from app.messages.actions import texts as actions
from app.messages.queries import texts
from app.messages.rules.templates import KINDS, Words, fill, problems
from app.paging import AnyRow
from app.web import answer, body

blueprint = Blueprint("message_templates", __name__, url_prefix="/api/message-templates")
READ, WRITE = ("events.read", "messages:read"), ("messages.manage", "messages:write")


class Draft(BaseModel):
    """A template as somebody writes it."""

    key: str = Field(max_length=40)
    channel: str = Field(max_length=12)
    subject: str = ""
    text: str = ""
    html: str = ""
    why: str = Field("", max_length=500)

    @property
    def words(self) -> Words:
        """Its parts."""
        return Words(self.subject, self.text, self.html)


class Hours(BaseModel):
    """Quiet hours, `HH:MM`; equal ones mean none."""

    starts: str
    ends: str


@blueprint.get("")
@require(*READ)
def index() -> Response:
    """The version in use of every text, with the placeholders that it may hold."""
    with reading() as c:
        rows, quiet = texts.in_use(c), texts.quiet_hours(c)
    hours = {"starts": quiet[0], "ends": quiet[1]} if quiet else None
    return answer({"data": [_data(row) for row in rows], "quiet_hours": hours})


@blueprint.post("")
@require(*WRITE)
def save() -> Response:
    """Store a new version; 422 names each field and placeholder that is wrong."""
    draft = body(Draft)
    key, channel, why = draft.key, draft.channel, draft.why.strip() or None
    version = actions.save_template(key, channel, draft.words, by=by(), now=clock.now(), why=why)
    return answer({"data": {"key": key, "channel": channel, "version": version}}, status=201)


@blueprint.post("/preview")
@require(*READ)
def preview() -> Response:
    """The text with sample values; nothing is stored."""
    draft = body(Draft)
    if wrong := problems(draft.key, draft.channel, draft.words):
        raise Invalid("O modelo não pode ser salvo", wrong)
    made = fill(draft.words, KINDS[draft.key].samples)
    return answer({"data": {"subject": made.subject, "text": made.text, "html": made.html}})


@blueprint.put("/quiet-hours")
@require(*WRITE)
def quiet_hours() -> Response:
    """When nobody is disturbed."""
    hours = body(Hours)
    actions.set_quiet_hours(hours.starts, hours.ends, by=by())
    return answer({"data": {"starts": hours.starts, "ends": hours.ends}})


@blueprint.put("/opt-outs/<phone>")
@require("whatsapp.manage", "messages:write")
def opt_out(phone: str) -> Response:
    """Somebody wants no automatic messages."""
    return answer({"data": {"phone": actions.opt_out_by_hand(phone, by=by(), now=clock.now())}})


@blueprint.delete("/opt-outs/<phone>")
@require("whatsapp.manage", "messages:write")
def opt_in(phone: str) -> Response:
    """Somebody wants them again."""
    actions.opt_in(phone, by=by())
    return answer({"message": "done"})


def _data(row: AnyRow) -> dict[str, Any]:
    """A version as JSON."""
    kind = KINDS.get(row.key)
    return {
        "key": row.key,
        "channel": row.channel,
        "version": row.version,
        "label": kind.label if kind else row.key,
        "placeholders": sorted(kind.samples) if kind else [],
        "subject": row.subject,
        "text": row.text,
        "html": row.html,
        "created_by": row.created_by,
    }

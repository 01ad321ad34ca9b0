"""What a person sent with a login or a form that was over: kept on a page, to be sent once more."""

from __future__ import annotations

from flask import Response, render_template
from htmx_flask import request

from app.web.answers import html, is_htmx, wants_html

# Forms with one of these are never shown again.
SECRET = {"password", "current", "again", "code"}
# What says nothing of what a person wrote.
FRAME = {"csrf_token", "confirmed", "next"}


def send_again(status: int) -> Response | None:
    """A page with all that was sent and a button that sends it; None where nothing would be lost.

    Not a hole in the guard against forgery: what another site sends is refused before, and the
    person sees what is sent and presses a button of ours.
    """
    if request.method != "POST" or is_htmx() or not wants_html():
        return None
    sent = request.form.to_dict(flat=False)
    sent.pop("csrf_token", None)
    typed = {name: texts for name, texts in sent.items() if name not in FRAME and any(texts)}
    if not typed or SECRET & sent.keys():
        return None
    page = render_template("again.html", status=status, action=request.full_path, fields=sent)
    return html(page, status)

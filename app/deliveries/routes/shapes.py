"""Deliveries, attempts, dead letters and bulks as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app import clock
from app.access.rules.masking import content, shown, words
from app.paging import AnyRow


def letter_data(row: AnyRow) -> dict[str, Any]:
    """A dead letter as lists show it; `created_at` is when it died."""
    return {
        "id": row.id,
        "event_id": row.event_id,
        "delivery_id": row.delivery_id,
        "event_type": row.event_type,
        "source_system": row.source_system,
        "system": row.system,
        "state": row.state,
        "reason": row.reason,
        "status": row.status,
        "error_class": row.error_class,
        "cause": row.cause,
        "attempts": row.attempts,
        "deaths": row.deaths,
        "created_at": clock.iso(row.died_at),
        "changed_at": clock.iso(row.changed_at),
        "changed_by": row.changed_by,
        "note": row.note,
    }


def letter_detail(row: AnyRow, whole: bool) -> dict[str, Any]:
    """One dead letter with what came in and what was sent, masked or whole."""
    return {
        **letter_data(row),
        "event_status": row.event_status,
        "delivery": {
            "status": row.delivery_status,
            "kind": row.kind,
            "endpoint_id": row.endpoint_id,
            "mapping_version": row.mapping_version,
            "attempts": row.delivery_attempts,
            "due_at": clock.iso(row.due_at) if row.delivery_status == "pending" else None,
            "created_at": clock.iso(row.created_at),
        },
        "payload": content(row.payload, whole),
        "body": content(row.body, whole),
    }


def letter_with_attempts(row: AnyRow, attempts: Iterable[AnyRow], whole: bool) -> dict[str, Any]:
    """One dead letter with its attempts, masked or whole."""
    tried = [attempt_data(attempt, whole) for attempt in attempts]
    return {**letter_detail(row, whole), "attempt_log": tried}


def attempt_data(row: AnyRow, whole: bool) -> dict[str, Any]:
    """An attempt as it went over the wire, masked or whole."""
    answered = row.response_body
    return {
        "number": row.number,
        "url": words(row.url, whole),
        "started_at": clock.iso(row.started_at),
        "latency_ms": row.latency_ms,
        "outcome": row.outcome,
        "status": row.status,
        "error_class": row.error_class,
        "error": words(row.error, whole),
        "request_headers": json.loads(row.request_headers),
        "response_body": answered.decode(errors="replace") if whole else shown(answered, False),
        "asked_by": row.asked_by,
        "worker": row.worker,
    }


def bulk_data(row: AnyRow) -> dict[str, Any]:
    """How far a bulk is."""
    return {
        "id": row.id,
        "action": row.action,
        "state": row.state,
        "filter": json.loads(row.filter),
        "total": row.total,
        "done": row.done,
        "skipped": row.skipped,
        "problems": json.loads(row.problems or "{}"),
        "why": row.why,
        "asked_by": row.asked_by,
        "created_at": clock.iso(row.created_at),
        "finished_at": clock.iso(row.finished_at),
    }

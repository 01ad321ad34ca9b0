"""Channels, and the notices of alerts with whether they arrived."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.engine import Connection

from app.deliveries.models import Delivery
from app.monitoring.models import AlertChannel, AlertNotice
from app.paging import AnyRow


def channels(c: Connection) -> Sequence[AnyRow]:
    """Channels in use."""
    query = select(AlertChannel.__table__).where(AlertChannel.removed_at.is_(None))
    return c.execute(query.order_by(AlertChannel.id)).all()


def notices(c: Connection, alert_id: int | None = None, count: int = 50) -> Sequence[AnyRow]:
    """The last notices (of one alert), the newest first; `status` is the delivery's."""
    query = (
        select(
            AlertNotice.id, AlertNotice.alert_id, AlertNotice.what, AlertNotice.at,
            AlertNotice.delivery_id, AlertChannel.kind, AlertChannel.target, Delivery.status,
            Delivery.attempts, Delivery.last_error, Delivery.event_id,
        )
        .join(AlertChannel, AlertChannel.id == AlertNotice.channel_id)
        .outerjoin(Delivery, Delivery.id == AlertNotice.delivery_id)
        .order_by(AlertNotice.id.desc())
    )  # fmt: skip
    if alert_id is not None:
        query = query.where(AlertNotice.alert_id == alert_id)
    return c.execute(query.limit(count)).all()

"""The one place that speaks HTTP to the outside for deliveries; no partner is trusted here.

Own code on asyncio, a strict parser (llhttp) underneath: a delivery costs a fifth of what a general
client takes, and the promises (a deadline for all of it, nothing cut off is a success, only the
addresses that may be called) are all kept in sight here.
"""

from app.deliveries.http.outgoing import BODY_KEPT, Outgoing
from app.deliveries.http.reply import READ_LIMIT
from app.deliveries.http.sender import Sender

__all__ = ["BODY_KEPT", "READ_LIMIT", "Outgoing", "Sender"]

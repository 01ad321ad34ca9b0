"""Events: intake, idempotency, an event's way through the hub, retention."""

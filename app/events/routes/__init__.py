"""Doors of the events: the JSON endpoints and the webhooks of the systems."""

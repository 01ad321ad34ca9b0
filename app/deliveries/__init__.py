"""Deliveries: everything that leaves the hub, in one mechanism."""

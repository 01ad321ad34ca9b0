"""Doors of the deliveries: JSON of the dead letters, and their pages."""

"""Doors of the systems: the systems themselves, their endpoints, their breakers."""

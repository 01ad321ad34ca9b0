"""Doors of the messages."""

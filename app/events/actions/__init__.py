"""Writes on events."""

"""Writes on messages."""

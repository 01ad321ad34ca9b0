"""Reads of the systems."""

"""Reads of monitoring; what they cost does not grow with the tables."""

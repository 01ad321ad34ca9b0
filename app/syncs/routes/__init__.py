"""Doors of the syncs: JSON for programs, pages for people."""

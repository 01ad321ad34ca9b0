"""Writes of the syncs: start, read and plan, follow what becomes of the items, schedules."""

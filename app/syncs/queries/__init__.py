"""Reads of the syncs: how each stands, its runs, a run with its items."""

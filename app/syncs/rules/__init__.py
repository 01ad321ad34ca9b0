"""Decisions about the syncs, pure: items and times come in, requests and verdicts come out."""

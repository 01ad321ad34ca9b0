"""Writes of the runbook."""

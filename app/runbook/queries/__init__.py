"""Reads of the runbook."""

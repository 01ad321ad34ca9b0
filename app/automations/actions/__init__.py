"""Writes on the steps of automations."""

"""Automations: steps that follow an event, each of them one delivery of the one mechanism."""

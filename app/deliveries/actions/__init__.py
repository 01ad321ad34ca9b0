"""Writes on deliveries, each in one transaction."""

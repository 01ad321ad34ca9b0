"""Reads on deliveries."""

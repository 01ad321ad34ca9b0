"""Writes of the systems: one transaction each, who acts comes in as `by`."""

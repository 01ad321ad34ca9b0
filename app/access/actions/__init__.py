"""Writes of access: one transaction each, who acts comes in as `by`."""

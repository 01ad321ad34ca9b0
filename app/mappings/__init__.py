"""Mappings: where an event goes (routes) and in which shape (versioned mappings)."""

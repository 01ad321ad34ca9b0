"""Doors of the mappings: the JSON API and the console's pages."""

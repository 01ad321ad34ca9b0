"""Decisions about deliveries, pure: the answer and the time come in, a verdict comes out."""

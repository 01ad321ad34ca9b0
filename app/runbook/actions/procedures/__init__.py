"""Writes of the procedures: runs, what is said in them, and the deeds behind their buttons."""

"""Reads of the procedures: the runs, and the live data their steps look at."""

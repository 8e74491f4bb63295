"""Noticing: what differs on disk from what was loaded, asked for in a few microseconds before each cell."""

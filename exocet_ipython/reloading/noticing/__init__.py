"""Noticing: what differs on disk from what was loaded, asked before each cell in a few microseconds."""

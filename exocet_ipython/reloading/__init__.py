"""Reloading: what changed, what must run again, building it aside, and making it current in one step."""

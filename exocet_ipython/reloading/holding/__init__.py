"""Holding: what a module has in its globals, looked at by identity, and held by nobody for it."""

"""Survivors: what is still alive of generations that were replaced. Nothing here holds such an object."""

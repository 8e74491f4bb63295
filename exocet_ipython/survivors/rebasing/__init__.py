"""Rebasing: classes of cells whose bases are others now get all that their statements would give them."""

"""Lasting: what the bodies of modules set in, or add to, what outlives them."""

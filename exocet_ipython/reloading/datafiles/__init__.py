"""Data files that modules read: by evidence of their code, and as their authors declare them."""

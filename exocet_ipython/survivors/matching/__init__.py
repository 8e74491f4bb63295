"""Matching: which retired object has which counterpart, by where each of them is defined."""

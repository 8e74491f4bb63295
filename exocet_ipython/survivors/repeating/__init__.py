"""Repeating: what functions of a module keep, and whether those of the new text would make the same of it again."""

"""Joining: ordinary imports become part of a generation while Python runs them, or are adopted as they are."""

"""Replacing: holders get what takes the place of retired objects, and instances their new class."""

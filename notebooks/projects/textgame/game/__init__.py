"""A text game: a player walks through rooms by typing commands."""

"""A small laboratory: a model, a loop that trains it, and the points that it learns from."""

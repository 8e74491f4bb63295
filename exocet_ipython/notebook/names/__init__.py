"""Names: which names of the notebook come from which module, and what they become when it is made anew."""

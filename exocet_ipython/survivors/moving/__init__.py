"""Moving: what lives of a replaced generation runs the new code, all or nothing, each write in a journal."""

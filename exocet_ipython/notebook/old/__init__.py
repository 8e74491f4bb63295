"""What lives of replaced generations: what a person asks about it, and has done to it."""

"""The ladder: how far down the code must be exchanged or run again, and the two rungs on which nothing runs."""

"""What constructors make of what they are given, and an old instance of what it was given."""

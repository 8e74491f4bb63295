"""What a text's functions put away: read from the text, nothing runs. What is carried over is decided from it."""

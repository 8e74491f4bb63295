"""Around a cell: what is reloaded before it, what its imports come to, and whether it runs at all."""

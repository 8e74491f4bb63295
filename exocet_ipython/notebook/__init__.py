"""The notebook: the session, the magics, and what ties them to one IPython shell."""

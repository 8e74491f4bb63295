"""Moving: holders get the counterparts, and instances their new class; each write in a journal."""

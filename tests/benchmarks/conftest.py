"""The scripts that benchmarks start are no tests, and import each other from their own folder."""

collect_ignore = ["reloads.py", "session.py"]

"""Fetches published weights: only the files that a lock names, and only if their content is what it says."""

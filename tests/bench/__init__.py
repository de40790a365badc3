"""Benchmarks and scores: commands, never timed tests. Each prints a table and, as its last line, one JSON object."""

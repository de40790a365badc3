"""Spoken material that tests and benchmarks make for themselves."""

"""Hostile input, for as long as one likes; not part of the suite."""

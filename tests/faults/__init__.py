"""Faults that are made on purpose, with counts of what was tried and what held: one module for each subject."""

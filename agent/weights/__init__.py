"""Weights: the catalogue of what can be had, where it comes from, how it is verified, and which rung suits a box."""

"""Modules: versions of a plugin, a reader or a voice, installed, tried, swapped and taken back while the agent runs."""

"""Manuals in one SQLite file: read in (`ingest`), kept (`store`), found again with their place (`search`).

Imports nothing of `agent` or `plugins`; every bound comes in as an argument.
"""

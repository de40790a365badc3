"""The databases a log may lie in: a SQLite file on the box, or a server of the plant.

A backend opens one bounded, read-only `Reader` per question and says how the times and columns of the tables are
stored (`layout`). All statements are written once, in `statements`, with named parameters that both take.
"""

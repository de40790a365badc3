"""Questions about the log's events beyond "is there one like this": which most, how long, floods, what goes before.

`asked` understands, `patterns` and `before` compute over moments, `answers` asks the database and words it.
"""

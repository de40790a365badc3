"""The Model Context Protocol: this box's tools for other programs, and other programs' tools for this box.

Its SDK comes with the extra `server`; nothing here is imported before it is used.
"""

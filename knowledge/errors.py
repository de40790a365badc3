"""The error of the knowledge store. `knowledge` imports nothing of `agent`; the command line gives it exit code 2."""

__all__ = ["KnowledgeError"]


class KnowledgeError(Exception):
    """A document or the store cannot be used. The message says which, why, and what to do."""

"""The web page's tests: a small server that follows a script, and what it tells."""

"""Make and sign a repository of updates. Runs where releases are made, never on a box; see README.md."""

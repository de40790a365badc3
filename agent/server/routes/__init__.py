"""One file a subject; each has `router`."""

"""The HTTP server of a box: one agent, many askers."""

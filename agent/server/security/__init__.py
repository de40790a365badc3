"""Who may reach the server, and what one may ask of it; all of it is decided before a body is read."""

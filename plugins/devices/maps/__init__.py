"""Where a map of devices comes from: a file, a broker, a server, a home in JSON."""

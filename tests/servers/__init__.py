"""Real servers for tests: started on loopback with data of their own, stopped by their process."""

"""Speech: a person's words come in as sound, and the answer goes out as sound."""

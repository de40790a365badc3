"""Programs with a screen that an agent is tried on: what they record of themselves is what is judged."""

"""Tables of values and of alarms."""

"""The maintenance report: what was seen, why, how bad, what to do; on schedule, delivered when the network is there."""

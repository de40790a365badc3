"""Supervised child processes: what may crash, hang or leak runs in one, and costs a call instead of the agent."""

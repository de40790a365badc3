"""Watchkeeper's core: one turn from question to checked answer. Start reading at `agent.turn`."""

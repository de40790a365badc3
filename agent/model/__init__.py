"""The models that can answer, behind one protocol: llama (on the box), remote (in the plant), rules (no weights)."""

"""The models that can answer, behind one protocol: llama (on the box), remote (on the plant's network), rules (no weights)."""

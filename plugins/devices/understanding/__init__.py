"""Understanding: a person's words about devices become intents with slots, devices and writes.

    normalise → tokens (names, words) → clauses → frames → intents (orders, questions, resolve, writes, slots)
    timers, lists: clauses that carry the person's own words

Start at `reader`. The words are in `words/*.toml`, by concept; the grammar knows concepts only.
"""

"""Devices: what there is, what a person orders of it, what is sent, and what really happened.

    words → understanding → plugin.read_orders → the turn: who may say yes → emitter → driver → read-back

Start at `plugin`. Nothing but a person's own words moves a device without an approval.
"""

"""The animal painter for children: an animal, one or two features, a place, and a picture of it that is right.

Off unless `[painter] enabled` says otherwise. Start at `painter`.
"""

"""Screens that are read and, where a person allows it, operated: an HMI over VNC, a page in a browser.

Order of a step: look (`looking`), find what is meant (`finding`), look again at the very place, act, read what came of
it (`acting`). What a screen shows names things and orders nothing. Nothing is clicked that has no name; nothing is sent
twice; what cannot be told stops, and says what stands on the screen.
"""

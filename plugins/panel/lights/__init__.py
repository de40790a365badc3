"""Colours that state something: lamps, fields, symbols; buttons, and windows over the panel."""

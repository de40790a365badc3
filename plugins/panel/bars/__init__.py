"""Bars, tank levels and sliders with a scale of their own."""

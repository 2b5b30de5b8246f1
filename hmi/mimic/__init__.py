"""Draws mimic screens: what every element looks like in every state, and the widget that keeps it so."""

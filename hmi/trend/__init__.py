"""Curves over time: history and live values without a seam, gaps with their reason, a cursor with values."""

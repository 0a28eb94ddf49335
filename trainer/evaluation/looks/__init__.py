"""Figures, judge and sheets of looks."""

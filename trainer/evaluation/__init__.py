"""Figures, comparisons and sheets of trained networks."""

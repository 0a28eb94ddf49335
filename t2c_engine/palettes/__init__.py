"""Palettes: the type, its files, and drawing them for phrases without torch."""

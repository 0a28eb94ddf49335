"""Hints on encoded pictures: how they spread, and what maps take of them."""

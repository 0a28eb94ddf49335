"""Lightness and a condition (palette, hints, region, none) to colour. May import torch."""

"""Text2Colors engine: palettes from phrases, colour for grey pictures. Knows nothing of GIMP or the trainer."""

__version__ = "0.1.0"

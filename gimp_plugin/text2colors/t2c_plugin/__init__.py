"""Text2Colors in GIMP: what the procedures of `text2colors.py` do. Imports the standard library and gi only."""

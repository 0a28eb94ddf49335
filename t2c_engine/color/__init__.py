"""The one colour space, and the RGB spaces of files. Must not import anything of the engine but errors."""

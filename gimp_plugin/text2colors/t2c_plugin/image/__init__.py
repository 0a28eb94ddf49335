"""Layers read, hint layers found, results inserted. Must not import Gtk or the engine package."""

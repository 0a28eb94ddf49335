"""Windows and widgets. Gtk, so never loaded without a dialog."""

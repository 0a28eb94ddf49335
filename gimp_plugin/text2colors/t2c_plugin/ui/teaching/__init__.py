"""The window in which a style is taught."""

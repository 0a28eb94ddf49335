"""The engine seen from the plug-in: where it is, the conversation, whole jobs. Must not import gi."""

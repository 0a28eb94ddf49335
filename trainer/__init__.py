"""Training and evaluation of the engine's networks. Reads top-down; imports the engine, never the other way round."""

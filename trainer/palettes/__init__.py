"""Training of the shipped palette network."""

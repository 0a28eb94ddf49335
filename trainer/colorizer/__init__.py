"""Training of the shipped colour network."""

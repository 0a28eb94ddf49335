"""Training of the networks that draw diverse colour fields."""
